//! Columns of numbers in the safetensors format: nothing in it can be executed on load.

use safetensors::{Dtype, SafeTensors, tensor::TensorView};

use super::Error;

/// Named columns of numbers on their way into a file.
#[derive(Default)]
pub(super) struct Columns(Vec<(String, Dtype, Vec<usize>, Vec<u8>)>);

impl Columns {
    pub(super) fn put_f64(&mut self, name: impl Into<String>, values: &[f64]) {
        let bytes = values.iter().flat_map(|v| v.to_le_bytes()).collect();
        self.0.push((name.into(), Dtype::F64, vec![values.len()], bytes));
    }

    /// A tensor of these dimensions, the last one running fastest.
    pub(super) fn put_f32(&mut self, name: impl Into<String>, shape: Vec<usize>, values: &[f32]) {
        let bytes = values.iter().flat_map(|v| v.to_le_bytes()).collect();
        self.0.push((name.into(), Dtype::F32, shape, bytes));
    }

    pub(super) fn put_u32(&mut self, name: impl Into<String>, values: &[u32]) {
        let bytes = values.iter().flat_map(|v| v.to_le_bytes()).collect();
        self.0.push((name.into(), Dtype::U32, vec![values.len()], bytes));
    }

    pub(super) fn put_u8(&mut self, name: impl Into<String>, values: &[u8]) {
        self.0.push((name.into(), Dtype::U8, vec![values.len()], values.to_vec()));
    }

    pub(super) fn bytes(&self) -> Result<Vec<u8>, Error> {
        let store = |cause: String| Error::Store { what: "columns of numbers", cause };
        let mut views = Vec::with_capacity(self.0.len());
        for (name, dtype, shape, bytes) in &self.0 {
            let view =
                TensorView::new(*dtype, shape.clone(), bytes).map_err(|e| store(e.to_string()))?;
            views.push((name.as_str(), view));
        }
        safetensors::serialize(views, None).map_err(|e| store(e.to_string()))
    }
}

/// Columns of numbers read from the bytes of a file; `what` is wrong when a column is not as
/// expected.
pub(super) struct Reader<'a>(SafeTensors<'a>);

impl<'a> Reader<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Result<Self, String> {
        SafeTensors::deserialize(bytes).map(Self).map_err(|e| format!("its columns: {e}"))
    }

    pub(super) fn has(&self, name: &str) -> bool {
        self.0.tensor(name).is_ok()
    }

    pub(super) fn f64(&self, name: &str) -> Result<Vec<f64>, String> {
        let bytes = self.column(name, Dtype::F64)?;
        let (chunks, _) = bytes.as_chunks();
        Ok(chunks.iter().map(|c| f64::from_le_bytes(*c)).collect())
    }

    pub(super) fn f32(&self, name: &str) -> Result<Vec<f32>, String> {
        let bytes = self.column(name, Dtype::F32)?;
        let (chunks, _) = bytes.as_chunks();
        Ok(chunks.iter().map(|c| f32::from_le_bytes(*c)).collect())
    }

    pub(super) fn u32(&self, name: &str) -> Result<Vec<u32>, String> {
        let bytes = self.column(name, Dtype::U32)?;
        let (chunks, _) = bytes.as_chunks();
        Ok(chunks.iter().map(|c| u32::from_le_bytes(*c)).collect())
    }

    pub(super) fn u8(&self, name: &str) -> Result<Vec<u8>, String> {
        self.column(name, Dtype::U8).map(<[u8]>::to_vec)
    }

    fn column(&self, name: &str, dtype: Dtype) -> Result<&'a [u8], String> {
        let view = self.0.tensor(name).map_err(|_| format!("the column `{name}` is missing"))?;
        if view.dtype() == dtype {
            Ok(view.data())
        } else {
            Err(format!("the column `{name}` is of another sort"))
        }
    }
}

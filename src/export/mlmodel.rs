//! The files that make an ONNX model an `MLflow` model: a folder that `mlflow.pyfunc.load_model` and
//! `mlflow models serve` understand. Pure: no file is written here, and no clock is read.

use std::fmt::Write;

use super::onnx::Port;

/// The file of the model within the folder.
const DATA: &str = "model.onnx";

/// What an `MLflow` model says of itself beside its graph.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct About {
    /// An id of this very model: 32 hexadecimal digits.
    pub uuid: String,
    /// When it was made, as `2026-01-31 12:00:00.000000` in UTC.
    pub created: String,
    /// The version of `MLflow` whose format is written.
    pub mlflow: String,
    /// The version of Python that is asked for.
    pub python: String,
    /// The version of onnxruntime that is asked for.
    pub onnxruntime: String,
}

impl About {
    /// A model made at this time, for the versions that this was tried with.
    pub fn new(uuid: &str, created: &str) -> Self {
        Self {
            uuid: uuid.replace('-', ""),
            created: created.to_owned(),
            mlflow: "3.17.2".into(),
            python: "3.11".into(),
            onnxruntime: "1.32.0".into(),
        }
    }
}

/// Every file of the folder, as path and bytes.
///
/// ```
/// use karat::export::mlmodel::{About, folder};
/// use karat::export::Port;
///
/// let port = |name: &str| Port { name: name.into(), holds: "f64", width: 1 };
/// let about = About::new("0198c2d0f5c27d3c8a1b0e6f5a4d3c2b", "2026-01-31 12:00:00.000000");
/// let files = folder(b"graph".to_vec(), &[port("age")], &[port("probability")], &about);
/// assert!(files.iter().any(|(path, _)| path == "MLmodel"));
/// ```
pub fn folder(
    onnx: Vec<u8>,
    inputs: &[Port],
    outputs: &[Port],
    about: &About,
) -> Vec<(String, Vec<u8>)> {
    let requirements = requirements(about);
    let named = |name: &str, text: String| (name.to_owned(), text.into_bytes());
    vec![
        named("MLmodel", mlmodel(onnx.len(), inputs, outputs, about)),
        (DATA.to_owned(), onnx),
        named("conda.yaml", conda(&requirements, about)),
        named("python_env.yaml", python_env(about)),
        named("requirements.txt", requirements.join("\n") + "\n"),
    ]
}

fn requirements(about: &About) -> Vec<String> {
    vec![
        format!("mlflow=={}", about.mlflow),
        "onnx".into(),
        format!("onnxruntime=={}", about.onnxruntime),
        "numpy".into(),
        "pandas".into(),
    ]
}

fn mlmodel(n_bytes: usize, inputs: &[Port], outputs: &[Port], about: &About) -> String {
    let About { uuid, created, mlflow, python, .. } = about;
    let (inputs, outputs) = (signature(inputs), signature(outputs));
    format!(
        "flavors:
  onnx:
    code: null
    data: {DATA}
    onnx_version: '1.14.0'
    providers:
    - CPUExecutionProvider
  python_function:
    data: {DATA}
    env:
      conda: conda.yaml
      virtualenv: python_env.yaml
    loader_module: mlflow.onnx
    python_version: {python}
mlflow_version: {mlflow}
model_size_bytes: {n_bytes}
model_uuid: {uuid}
signature:
  inputs: {inputs}
  outputs: {outputs}
  params: null
utc_time_created: '{created}'
",
        python = quoted(python),
        mlflow = quoted(mlflow),
        uuid = quoted(uuid),
        inputs = quoted(&inputs),
        outputs = quoted(&outputs),
    )
}

/// Every port as a tensor (rows, width), as JSON within the YAML. A signature of columns would have
/// `MLflow` feed several inputs without their second axis, which the graph refuses.
fn signature(ports: &[Port]) -> String {
    let told = ports.iter().map(|port| {
        let dtype = match port.holds {
            "text" => "str",
            "f32" => "float32",
            _ => "float64",
        };
        let spec = serde_json::json!({ "dtype": dtype, "shape": [-1, port.width as i64] });
        serde_json::json!({ "name": port.name, "type": "tensor", "tensor-spec": spec })
    });
    serde_json::Value::Array(told.collect()).to_string()
}

/// A text between single quotes, as YAML wants it.
fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

fn conda(requirements: &[String], about: &About) -> String {
    let mut text = format!(
        "channels:\n- conda-forge\ndependencies:\n- python={}\n- pip\n- pip:\n",
        about.python
    );
    for requirement in requirements {
        writeln!(text, "  - {requirement}").expect("a text takes every line");
    }
    text + "name: mlflow-env\n"
}

fn python_env(about: &About) -> String {
    format!(
        "python: {}\nbuild_dependencies:\n- pip\ndependencies:\n- -r requirements.txt\n",
        quoted(&about.python)
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn port(name: &str, holds: &'static str, width: usize) -> Port {
        Port { name: name.into(), holds, width }
    }

    fn mlmodel_of(inputs: &[Port]) -> String {
        let about =
            About::new("0198c2d0-f5c2-7d3c-8a1b-0e6f5a4d3c2b", "2026-01-31 12:00:00.000000");
        let files = folder(b"graph".to_vec(), inputs, &[port("probability", "f64", 1)], &about);
        String::from_utf8(files[0].1.clone()).unwrap()
    }

    #[test]
    fn ports_are_tensors_with_names_and_types() {
        let text = mlmodel_of(&[port("features", "f64", 5), port("owner's", "text", 1)]);
        assert!(text.contains(r#""name":"owner''s""#), "{text}");
        assert!(text.contains(r#""dtype":"float64","shape":[-1,5]"#), "{text}");
        assert!(text.contains(r#""dtype":"str","shape":[-1,1]"#), "{text}");
        assert!(text.contains("model_uuid: '0198c2d0f5c27d3c8a1b0e6f5a4d3c2b'"), "{text}");
    }
}

//! Pretrained models that a recipe names: teacher and base. Often both are the same file, which is read once.

use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;

use burn::tensor::Device;
use lexiform_model::{JointModel, ModelError, OpenOptions, PointModel, PointModelOptions, Teacher};

use crate::recipe::{NetworkConfig, Recipe};

/// Pretrained models by name, opened on first use.
pub(crate) struct PretrainedModels {
    joint: RefCell<HashMap<String, JointModel>>,
    points: RefCell<HashMap<String, Rc<PointModel>>>,
    device: Device,
}

impl PretrainedModels {
    /// A cache of models on `device`.
    pub fn new(device: &Device) -> Self {
        Self { joint: RefCell::default(), points: RefCell::default(), device: device.clone() }
    }

    /// The device of the models.
    pub fn device(&self) -> &Device {
        &self.device
    }

    /// A CLIP by name or path; clones share their weights.
    ///
    /// # Errors
    /// If the model cannot be found or read.
    pub fn open(&self, name_or_path: &str) -> Result<JointModel, ModelError> {
        if let Some(model) = self.joint.borrow().get(name_or_path) {
            return Ok(model.clone());
        }
        let options = OpenOptions { device: self.device.clone(), ..OpenOptions::default() };
        let model = JointModel::open(name_or_path, &options)?;
        self.joint.borrow_mut().insert(name_or_path.to_owned(), model.clone());
        Ok(model)
    }

    /// A point encoder by name or path.
    ///
    /// # Errors
    /// If the model cannot be found or read.
    pub fn point_model(
        &self,
        name_or_path: &str,
        groups: Option<usize>,
    ) -> Result<Rc<PointModel>, ModelError> {
        // `groups` is not part of the key: a recipe has only one value of it.
        if let Some(model) = self.points.borrow().get(name_or_path) {
            return Ok(Rc::clone(model));
        }
        let options =
            PointModelOptions { groups, device: self.device.clone(), ..PointModelOptions::default() };
        let model = Rc::new(PointModel::open(name_or_path, &options)?);
        self.points.borrow_mut().insert(name_or_path.to_owned(), Rc::clone(&model));
        Ok(model)
    }

    /// The frozen model whose features are the targets.
    ///
    /// # Errors
    /// If the teacher cannot be found or read.
    pub fn teacher(&self, recipe: &Recipe) -> Result<Option<Teacher>, ModelError> {
        let Some(name) = &recipe.teacher else { return Ok(None) };
        Ok(Some(Teacher::of(&self.open(name)?, &self.device)))
    }

    /// Width and height of the rendered views in pixels: the network's, or the teacher's if only it has an image tower.
    ///
    /// # Errors
    /// If the model that determines it cannot be found or read.
    pub fn view_size(&self, recipe: &Recipe) -> Result<usize, ModelError> {
        let of = |name: &String| Ok(self.open(name)?.view_size() as usize);
        match (&recipe.network, &recipe.teacher) {
            (NetworkConfig::Clip(network), _) => Ok(network.image_size),
            (NetworkConfig::Pretrained(network), _) => {
                network.image_size.map_or_else(|| of(&network.base), Ok)
            }
            (NetworkConfig::Points(_), Some(teacher)) => of(teacher),
            (NetworkConfig::Points(_), None) => Ok(0),
        }
    }
}

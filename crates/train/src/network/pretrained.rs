//! Published models that a recipe names: its teacher, and what its network starts from. Often both are the same file, which
//! is read once.

use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;

use burn::tensor::Device;
use lexiform_model::{JointModel, ModelError, OpenOptions, PointModel, PointModelOptions, Teacher};

use crate::recipe::{NetworkConfig, Recipe};

/// Models by name, where weights are trained; each is opened when it is first asked for.
pub(crate) struct Published {
    models: RefCell<HashMap<String, JointModel>>,
    encoders: RefCell<HashMap<String, Rc<PointModel>>>,
    device: Device,
}

impl Published {
    /// Models for this device.
    pub fn on(device: &Device) -> Self {
        Self { models: RefCell::default(), encoders: RefCell::default(), device: device.clone() }
    }

    /// A model by name or path; all that are handed out share their numbers.
    pub fn open(&self, name_or_path: &str) -> Result<JointModel, ModelError> {
        if let Some(model) = self.models.borrow().get(name_or_path) {
            return Ok(model.clone());
        }
        let options = OpenOptions { device: self.device.clone(), ..OpenOptions::default() };
        let model = JointModel::open(name_or_path, &options)?;
        self.models.borrow_mut().insert(name_or_path.to_owned(), model.clone());
        Ok(model)
    }

    /// A point encoder by name or path; a recipe asks for one number of groups only.
    pub fn points(&self, name_or_path: &str, groups: Option<usize>) -> Result<Rc<PointModel>, ModelError> {
        if let Some(model) = self.encoders.borrow().get(name_or_path) {
            return Ok(Rc::clone(model));
        }
        let options =
            PointModelOptions { groups, device: self.device.clone(), ..PointModelOptions::default() };
        let model = Rc::new(PointModel::open(name_or_path, &options)?);
        self.encoders.borrow_mut().insert(name_or_path.to_owned(), Rc::clone(&model));
        Ok(model)
    }

    /// The frozen model whose features are learned towards.
    pub fn teacher(&self, recipe: &Recipe) -> Result<Option<Teacher>, ModelError> {
        let Some(name) = &recipe.teacher else { return Ok(None) };
        Ok(Some(Teacher::of(&self.open(name)?, &self.device)))
    }

    /// Edge of the views to draw: the network's, or the teacher's where only it looks at views.
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

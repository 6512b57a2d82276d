//! Reading a table from a file.

use std::path::Path;

use super::table::AnnotationTable;
use super::{csv, json};
use crate::DataError;
use crate::shape_csv::read_maybe_gz;

impl AnnotationTable {
    /// Reads a table. The format is recognized by extension and content:
    ///
    /// - CSV with headings, as in [`crate::shape_csv`], such as the captions of [Text2Shape](https://arxiv.org/abs/1803.08495);
    /// - CSV without headings: `id,caption` as in [Cap3D](https://arxiv.org/abs/2306.07279), or `class number,class,id` as in Duoduo
    ///   CLIP's list of LVIS;
    /// - JSON: an object from ids to captions or lists of captions, or a list of objects with the headings as keys. In a file named
    ///   `packed`, such as Duoduo CLIP's captions of MVImgNet, caption k describes view k.
    ///
    /// An id may be the path of a rendered image, as in the captions of ULIP-2's Objaverse: `…/<shape>/007.png` is view 7 of the
    /// shape, `…/<shape>/<shape>_r_084.png` ULIP's view at 84 degrees. A CSV file may name the image in a column `image`. Captions
    /// keep the order of the file.
    ///
    /// `.gz` files are decompressed.
    ///
    /// # Errors
    /// If the file cannot be read, has another format, or an invalid split.
    pub fn read(path: &Path) -> Result<Self, DataError> {
        let invalid = |message: String| DataError::invalid(path, message);
        let (bytes, name) = read_maybe_gz(path)?;
        // Captions record the name of their file as their source: `cap3d`, `packed`.
        let stem = name.split('.').next().unwrap_or_default().to_owned();
        let mut table = Self::default();
        if name.ends_with(".json") {
            json::read(&mut table, &bytes, &stem).map_err(invalid)?;
        } else {
            csv::read(&mut table, &bytes, &stem).map_err(invalid)?;
        }
        Ok(table)
    }
}

#[cfg(test)]
mod tests {
    use super::super::MatchCounts;
    use super::*;

    fn table(name: &str, text: &str) -> AnnotationTable {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(name);
        std::fs::write(&path, text).unwrap();
        AnnotationTable::read(&path).unwrap()
    }

    #[track_caller]
    fn check(name: &str, text: &str, shape: &str, labels: &[&str], captions: &[&str]) {
        let table = table(name, text);
        let annotation = table.find(shape).unwrap();
        assert_eq!(annotation.labels, labels);
        assert_eq!(annotation.captions.iter().map(|c| c.text.as_str()).collect::<Vec<_>>(), captions);
    }

    #[test]
    fn the_format_is_recognized_by_content() {
        check(
            "mine.csv",
            "file,label,caption\na/b.glb,chair,\"red, soft\"\n",
            "a/b.glb",
            &["chair"],
            &["red, soft"],
        );
        check("cap3d.csv", "0a1b,A red chair.\n0c,\"A cup, white.\"\n", "x/0c.glb", &[], &["A cup, white."]);
        check("roots.csv", "file,label\n/a/b.glb,chair\n./a/c.glb,cup\n", "a/b.glb", &["chair"], &[]);
        check("lvis.csv", "3,Band_Aid,0a1b\n4,cup,0c\n", "0c/000.png", &["cup"], &[]);
        let text2shape = "id,modelId,description,category,topLevelSynsetId\n\
            0,aaa,a brown table,Table,04379243\n1,aaa,wooden,Table,04379243\n";
        check("captions.tablechair.csv", text2shape, "aaa", &["Table"], &["a brown table", "wooden"]);
        check("c.json", r#"{"u1": ["one", "two"], "u2": "three"}"#, "u1.glb", &[], &["one", "two"]);
        check("d.json", r#"[{"uid": "u1", "caption": "one", "category": "cup"}]"#, "u1", &["cup"], &["one"]);
        assert!(table("e.csv", "").is_empty());
    }

    #[test]
    fn invalid_tables_are_errors() {
        let folder = tempfile::tempdir().unwrap();
        let refused = |name: &str, text: &str| {
            let path = folder.path().join(name);
            std::fs::write(&path, text).unwrap();
            AnnotationTable::read(&path).unwrap_err().to_string()
        };
        let split = "expected split train, val or test, found \"banana\"";
        let error = refused("a.csv", "file,split\na.glb,\nb.glb,banana\n");
        assert!(error.contains(&format!("line 3: {split}")), "{error}");
        let error = refused("a.json", r#"[{"uid": "u1", "split": "banana"}]"#);
        assert!(error.contains(&format!("\"u1\": {split}")), "{error}");
        assert!(refused("b.json", r#"{"u1": {"split": "banana"}}"#).contains(split));
        assert!(refused("c.json", r#"{"u1": {"split": 3}}"#).contains("test, found 3"));
        for headings in ["file,kind", "filename,category"] {
            let error = refused("h.csv", &format!("{headings}\na.glb,chair\n"));
            assert!(error.contains("expected headings such as file,label,caption"), "{error}");
        }
    }

    #[test]
    fn packed_captions_describe_views() {
        let text = r#"{"5_26": ["a cup", "", "its handle"], "6_1": "a pot"}"#;
        let views = |name: &str, shape: &str| {
            let table = table(name, text);
            table.find(shape).unwrap().captions.iter().map(|c| (c.text.clone(), c.view)).collect::<Vec<_>>()
        };
        assert_eq!(views("packed.json", "5_26"), [("a cup".into(), Some(0)), ("its handle".into(), Some(2))]);
        assert_eq!(views("packed.json", "6_1"), [("a pot".into(), None)]);
        assert_eq!(views("other.json", "5_26"), [("a cup".into(), None), ("its handle".into(), None)]);
    }

    #[test]
    fn images_as_ids_are_views() {
        let merged = r#"{"/export/objaverse/render_images_split_100/u1/001.png": ["a cup", "a mug"],
            "/export/objaverse/render_images_split_100/u1/000.png": ["a bowl"], "u2": ["a pot"]}"#;
        let views = |table: &AnnotationTable, shape: &str| {
            let captions = &table.find(shape).unwrap().captions;
            captions.iter().map(|c| (c.text.clone(), c.view)).collect::<Vec<_>>()
        };
        let table = table("merged_data.json", merged);
        let expected = [("a cup".into(), Some(1)), ("a mug".into(), Some(1)), ("a bowl".into(), Some(0))];
        assert_eq!(
            (views(&table, "u1"), views(&table, "u2")),
            (expected.into(), vec![("a pot".into(), None)])
        );
        assert_eq!(table.len(), 2);
        for text in ["file,caption\nrenders/u1/003.png,a cup\n", "id,image,caption\nu1,r/003.png,a cup\n"] {
            assert_eq!(views(&self::table("c.csv", text), "u1"), [("a cup".into(), Some(3))], "{text}");
        }
    }

    #[test]
    fn digests_depend_on_content_and_matches_on_names() {
        let one = table("a.csv", "file,label,split\nu1,cup,test\nu2,pot,test\n");
        let turned = table("a.csv", "file,label,split\nu2,pot,test\nu1,cup,test\n");
        assert_eq!(one.digest(), turned.digest());
        for other in ["u1,cap,test\nu2,pot,test\n", "u1,cup,val\nu2,pot,test\n", "u1,cup,test\n"] {
            assert_ne!(
                one.digest(),
                table("a.csv", &format!("file,label,split\n{other}")).digest(),
                "{other}"
            );
        }
        assert_eq!(AnnotationTable::default().digest(), None);
        let matched = one.matched(["x/u1.glb", "u1/0.obj", "other.obj"]);
        assert_eq!((matched, matched.warning(None)), (MatchCounts { rows: 2, matched: 1 }, None));
        let warning = one.matched(["other.obj"]).warning(Some("other.obj")).unwrap();
        assert_eq!(
            warning,
            "0 of 2 rows of the table match a shape; shapes have names such as \"other.obj\""
        );
        assert_eq!(AnnotationTable::default().matched(["a"]).warning(None), None);
    }

    #[test]
    fn tables_are_joined_and_captions_name_their_table() {
        let mut all = table("cap3d.csv", "u1,one\n");
        all.extend(table("x.csv", "file,label,split\nu1,cup,test\n"));
        all.extend(table("y.csv", "file,label\nu1,cup\nu1,vase\n"));
        let annotation = all.find("u1").unwrap();
        assert_eq!(annotation.labels, ["cup", "vase"]);
        assert_eq!(annotation.captions[0].source, "cap3d");
        assert_eq!(annotation.split.as_deref(), Some("test"));
    }
}

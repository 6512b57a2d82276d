//! Queries: texts, images, shapes, records, mixes, filters, labels.

use std::path::PathBuf;
use std::sync::Arc;

use crate::support::{BLUE, ColorEncoder, GREEN, RED, write_shape};
use lexiform_search::{
    Error, Filter, IndexOptions, Library, LibraryPath, ModelInput, Query, QueryTerm, RecordId,
    ShapePreprocessor, ZeroShotClassifier, embed_shape,
};

struct Gallery {
    folder: tempfile::TempDir,
    library: Library,
}

impl Gallery {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let root = fs_err::canonicalize(folder.path()).unwrap();
        let colors = [("red", RED), ("green", GREEN), ("blue", BLUE), ("purple", [150, 10, 150])];
        for (name, color) in colors {
            write_shape(&root.join(format!("{name}.ply")), color, 1.0);
        }
        let encoder = Arc::new(ColorEncoder::new("color-1"));
        let library = Library::open(LibraryPath::for_assets(&root), encoder, "color").unwrap();
        library.index(&[root], &IndexOptions::default(), &mut |_| {}).unwrap();
        Self { folder, library }
    }

    fn file(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn best(&self, query: &Query) -> String {
        self.library.search(query).unwrap().remove(0).payload.path
    }
}

#[test]
fn every_kind_of_term_can_be_searched() {
    let gallery = Gallery::new();
    let image = gallery.file("image.png");
    image::RgbImage::from_pixel(8, 8, image::Rgb(BLUE)).save(&image).unwrap();
    let id = gallery.library.search(&Query::text("blue", 1)).unwrap()[0].id;
    for term in [
        QueryTerm::Text("blue".into()),
        QueryTerm::image(image),
        QueryTerm::Shape(gallery.file("blue.ply")),
        QueryTerm::Record(id),
        QueryTerm::Embedding(gallery.library.embedding(id).unwrap()),
    ] {
        let query = Query { k: 1, ..Query::default() }.with(1.0, term.clone());
        assert_eq!(gallery.best(&query), "blue.ply", "{term:?}");
    }
}

#[test]
fn terms_mix_and_negative_weights_exclude() {
    let gallery = Gallery::new();
    let both = Query::text("red", 1).with(1.0, QueryTerm::Text("blue".into()));
    assert_eq!(gallery.best(&both), "purple.ply");
    let not_red = both.with(-0.9, QueryTerm::Text("red".into()));
    assert_eq!(gallery.best(&not_red), "blue.ply");
}

#[test]
fn answers_are_ranked_and_filtered() {
    let gallery = Gallery::new();
    let answers = gallery.library.search(&Query::text("red", 3)).unwrap();
    assert_eq!(answers.iter().map(|a| a.rank).collect::<Vec<_>>(), [1, 2, 3]);
    assert!(answers.windows(2).all(|pair| pair[0].score >= pair[1].score));
    assert_eq!(answers[0].payload.triangles, 4);
    let filter = Some(Filter::parse("format = 'ply' and path ~ 'gr*'").unwrap());
    assert_eq!(gallery.best(&Query { filter, ..Query::text("red", 3) }), "green.ply");
}

#[test]
fn thumbnails_show_the_shape() {
    let gallery = Gallery::new();
    let answer = gallery.library.search(&Query::text("green", 1)).unwrap().remove(0);
    let bytes = gallery.library.thumbnail(answer.id).unwrap().unwrap();
    let image = image::load_from_memory(&bytes).unwrap().to_rgb8();
    let greenish = |p: &&image::Rgb<u8>| p[1] > p[0].saturating_add(40) && p[1] > p[2].saturating_add(40);
    assert!(image.pixels().filter(greenish).count() > 10);
}

#[test]
fn invalid_queries_are_rejected() {
    let gallery = Gallery::new();
    let refused = |query: Query| gallery.library.search(&query).unwrap_err();
    assert!(matches!(refused(Query::default()), Error::Query { .. }));
    assert!(matches!(refused(Query::text("  ", 3)), Error::Query { .. }));
    let cancelled = Query::text("red", 1).with(-1.0, QueryTerm::Text("red".into()));
    assert!(matches!(refused(cancelled), Error::Query { .. }));
    let nan = Query { k: 1, ..Query::default() }.with(f32::NAN, QueryTerm::Text("red".into()));
    assert!(matches!(refused(nan), Error::Query { .. }));
    let unknown = Query { k: 1, ..Query::default() }.with(1.0, QueryTerm::Record(RecordId::new(7).unwrap()));
    assert!(matches!(refused(unknown), Error::Store(_)));
    let missing = Query { k: 1, ..Query::default() }.with(1.0, QueryTerm::Shape(gallery.file("no.ply")));
    assert!(refused(missing).to_string().contains("no.ply"));
}

#[test]
fn probabilities_of_labels_sum_to_one() {
    let gallery = Gallery::new();
    let encoder = gallery.library.encoder();
    let names = ["red", "green", "blue"].map(str::to_owned);
    let classifier = ZeroShotClassifier::new(encoder, &names, &encoder.templates()).unwrap();
    let shape = embed_shape(encoder, gallery.library.preprocessor(), &gallery.file("green.ply")).unwrap();
    let scored = classifier.classify(&shape);
    assert_eq!(scored[0].label, "green");
    assert!((scored.iter().map(|s| s.score).sum::<f32>() - 1.0).abs() < 1e-5);
    assert!(scored.windows(2).all(|pair| pair[0].score >= pair[1].score));
    assert!(ZeroShotClassifier::new(encoder, &[], &encoder.templates()).is_err());
    assert!(ZeroShotClassifier::new(encoder, &names, &["no placeholder".to_owned()]).is_err());
}

#[test]
fn only_the_views_of_a_folder_that_are_used_are_decoded() {
    let folder = tempfile::tempdir().unwrap();
    for index in 0..24 {
        let path = folder.path().join(format!("{index:03}.png"));
        // Of 24 views, every second one is used.
        if index % 2 == 0 {
            image::RgbImage::from_pixel(8, 8, image::Rgb(RED)).save(&path).unwrap();
        } else {
            fs_err::write(&path, "not an image").unwrap();
        }
    }
    let preprocessor = ShapePreprocessor::for_encoder(&ColorEncoder::new("color-1"));
    let processed = preprocessor.process(folder.path()).unwrap();
    assert_eq!(processed.payload.extra["views"], 12);
    let ModelInput::Views(views) = processed.input else { panic!("not views") };
    assert_eq!(views.len(), 12);
}

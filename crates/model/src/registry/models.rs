//! The named models: those released by Duoduo CLIP, ULIP, OpenShape and CG3D, and those they build on.

use super::{Modality, NamedModel, Origin};

/// ULIP-2's repository.
const ULIP: &str = "SFXX/ulip";
const DUODUO: &str = "3dlg-hcvc/DuoduoCLIP";
const UNSTATED: &str = "none stated";

const fn hub(repository: &'static str, file: &'static str) -> Origin {
    Origin::Hub { repository, file }
}

const fn google_drive(id: &'static str) -> Origin {
    Origin::ManualDownload { address: "https://drive.google.com/file/d/", id }
}

/// ULIP's files whose path in the repository was not published; they have moved between servers, and the page links to them.
const fn ulip_page(file: &'static str) -> Origin {
    Origin::ManualDownload { address: "https://huggingface.co/datasets/SFXX/ulip/tree/main, file ", id: file }
}

/// Defaults of the entries.
const MODEL: NamedModel = NamedModel {
    name: "",
    origin: Origin::BuiltIn,
    description: "",
    license: UNSTATED,
    modality: Modality::Views,
    dim: 0,
    parameters: None,
    sidecar_files: &[],
    paired: None,
};

/// CG3D's fine-tuned models are folders of several files; the one to take is `ckpt-best.pth`.
const fn google_drive_folder(id: &'static str) -> Origin {
    Origin::ManualDownload { address: "https://drive.google.com/drive/folders/", id }
}

/// A point encoder with a classification head and without a joint space.
const fn classifier(name: &'static str, description: &'static str, origin: Origin) -> NamedModel {
    NamedModel { name, description, origin, modality: Modality::Classifier, ..MODEL }
}

/// A point encoder trained with a CLIP model of the list.
const fn points(
    name: &'static str,
    description: &'static str,
    origin: Origin,
    dim: usize,
    paired: &'static str,
) -> NamedModel {
    NamedModel { name, description, origin, dim, paired: Some(paired), modality: Modality::Points, ..MODEL }
}

/// A CLIP model, whose views are averaged.
const fn clip(
    name: &'static str,
    description: &'static str,
    origin: Origin,
    dim: usize,
    parameters: usize,
) -> NamedModel {
    NamedModel { name, description, origin, dim, parameters: Some(parameters), license: "MIT", ..MODEL }
}

/// A point encoder of Uni3D.
const fn uni3d(name: &'static str, description: &'static str, file: &'static str) -> NamedModel {
    points(name, description, hub("BAAI/Uni3D", file), 1024, "eva02-e14-plus")
}

/// A file of OpenCLIP's own models.
const fn laion(repository: &'static str) -> Origin {
    hub(repository, "open_clip_pytorch_model.bin")
}

const fn duoduo(name: &'static str, description: &'static str, file: &'static str) -> NamedModel {
    let license = "see the repository";
    let (origin, parameters) = (hub(DUODUO, file), Some(151_277_314));
    NamedModel { name, description, origin, license, dim: 512, parameters, ..MODEL }
}

/// All named models, the default first.
pub const MODELS: [NamedModel; 46] = [
    NamedModel {
        name: "nano",
        description: "small model of several views and points, trained on procedural shapes, and a sentence encoder",
        license: "Apache-2.0",
        modality: Modality::Both,
        dim: 424,
        ..MODEL
    },
    duoduo(
        "duoduo",
        "Duoduo CLIP ViT-B/32, trained on Objaverse, ShapeNet, 3D-FUTURE and ABO",
        "Four_1to6F_bs1600_LT6.ckpt",
    ),
    duoduo(
        "duoduo-mvpnet",
        "Duoduo CLIP ViT-B/32, also trained on MVPNet's objects",
        "Four_MVPNet_1to6F_bs1600_LT6.ckpt",
    ),
    duoduo(
        "duoduo-mvimgnet",
        "Duoduo CLIP ViT-B/32, also trained on MVImgNet's photos",
        "Four_MVImgNet_1to6F_bs1600_LT6.ckpt",
    ),
    points(
        "ulip2-pointbert-rgb",
        "ULIP-2 PointBERT, 10,000 colored points, Objaverse and ShapeNet",
        Origin::HubDataset {
            repository: ULIP,
            file: "ULIP-2/pretrained_models/ULIP-2-PointBERT-10k-xyzrgb-pc-vit_g-objaverse_shapenet-pretrained.pt",
        },
        1280,
        "openclip-bigg14",
    ),
    points(
        "ulip2-pointbert-xyz",
        "ULIP-2 PointBERT, 8,192 points, Objaverse",
        Origin::HubDataset {
            repository: ULIP,
            file: "ULIP-2/pretrained_models/ULIP-2-PointBERT-8k-xyz-pc-slip_vit_b-objaverse-pretrained.pt",
        },
        512,
        "slip-b16",
    ),
    // Neither its dimension nor its CLIP model was published; both follow from the file.
    NamedModel {
        name: "ulip2-pointnext",
        description: "ULIP-2 PointNeXt-S, 8,192 points, Objaverse",
        origin: ulip_page("ULIP_2-pointnext_objaverse.pt"),
        modality: Modality::Points,
        ..MODEL
    },
    points(
        "ulip2-pointbert-arxiv",
        "ULIP-2 PointBERT of the first release, 8,192 points, Objaverse",
        ulip_page("pointbert_ULIP-2.pt"),
        512,
        "slip-b16",
    ),
    points(
        "openshape-pointbert",
        "OpenShape PointBERT, 10,000 colored points, four data sets",
        hub("OpenShape/openshape-pointbert-vitg14-rgb", "model.pt"),
        1280,
        "openclip-bigg14",
    ),
    points(
        "openshape-pointbert-no-lvis",
        "OpenShape PointBERT, trained without Objaverse-LVIS",
        hub("OpenShape/openshape-pointbert-no-lvis", "model.pt"),
        1280,
        "openclip-bigg14",
    ),
    points(
        "openshape-pointbert-shapenet",
        "OpenShape PointBERT, trained on ShapeNet alone",
        hub("OpenShape/openshape-pointbert-shapenet", "model.pt"),
        1280,
        "openclip-bigg14",
    ),
    points(
        "openshape-pointbert-l14",
        "OpenShape PointBERT for OpenAI's ViT-L/14",
        hub("OpenShape/openshape-pointbert-vitl14-rgb", "model.pt"),
        768,
        "openai-l14",
    ),
    points(
        "openshape-pointbert-b32",
        "OpenShape PointBERT for OpenAI's ViT-B/32",
        hub("OpenShape/openshape-pointbert-vitb32-rgb", "model.pt"),
        512,
        "openai-b32",
    ),
    uni3d("uni3d-b", "Uni3D base, 10,000 colored points, four data sets", "modelzoo/uni3d-b/model.pt"),
    uni3d(
        "uni3d-b-no-lvis",
        "Uni3D base, trained without Objaverse-LVIS",
        "modelzoo/uni3d-b-no-lvis/model.pt",
    ),
    uni3d("uni3d-l", "Uni3D large, 10,000 colored points, four data sets", "modelzoo/uni3d-l/model.pt"),
    uni3d(
        "uni3d-l-no-lvis",
        "Uni3D large, trained without Objaverse-LVIS",
        "modelzoo/uni3d-l-no-lvis/model.pt",
    ),
    uni3d("uni3d-g", "Uni3D giant, a billion parameters, four data sets", "modelzoo/uni3d-g/model.pt"),
    uni3d(
        "uni3d-g-no-lvis",
        "Uni3D giant, trained without Objaverse-LVIS",
        "modelzoo/uni3d-g-no-lvis/model.pt",
    ),
    points(
        "cg3d-pt-1024",
        "CG3D PointTransformer, 1,024 points, ShapeNet",
        google_drive("14aFau0H5Zn4byH6ahq7_PI7xzBSL18Ao"),
        512,
        "slip-b16",
    ),
    points(
        "cg3d-pt-8192",
        "CG3D PointTransformer, 8,192 points, ShapeNet",
        google_drive("1L_BPO45_AQEroLSYXhaUbPNYEB1YBCFV"),
        512,
        "slip-b16",
    ),
    points(
        "cg3d-pointmlp-1024",
        "CG3D PointMLP, 1,024 points, ShapeNet",
        google_drive("1V66h1iGbfY-KEYGyMzV_T2QbKYsZa5p9"),
        512,
        "slip-b16",
    ),
    points(
        "cg3d-pointmlp-8192",
        "CG3D PointMLP, 8,192 points, ShapeNet",
        google_drive("1NX0x1FRgnZrZiEdaIRcp_V6Enb6WZolX"),
        512,
        "slip-b16",
    ),
    classifier(
        "cg3d-pt-scanobjectnn",
        "CG3D PointTransformer, fine-tuned on ScanObjectNN",
        google_drive_folder("1qCtzrPulUK4gtPm4WGtIY_cNrfzTJSoN"),
    ),
    classifier(
        "cg3d-pt-modelnet40",
        "CG3D PointTransformer, fine-tuned on ModelNet40",
        google_drive_folder("16BfhaKWKUVr7e1xVb5llVQr6UkrnBBeF"),
    ),
    classifier(
        "cg3d-pointmlp-scanobjectnn",
        "CG3D PointMLP, fine-tuned on ScanObjectNN",
        google_drive_folder("1VWdDafCm3KNkA3V_nOND6E1wweQYCT3X"),
    ),
    classifier(
        "cg3d-pointmlp-modelnet40",
        "CG3D PointMLP, fine-tuned on ModelNet40",
        google_drive_folder("1xgGkt2aOFCCG_qX0SqHoUAwHnvMg6vqF"),
    ),
    clip(
        "openclip-b32",
        "OpenCLIP ViT-B/32 of LAION-2B",
        laion("laion/CLIP-ViT-B-32-laion2B-s34B-b79K"),
        512,
        151_277_313,
    ),
    clip(
        "openclip-b16",
        "OpenCLIP ViT-B/16 of LAION-2B",
        laion("laion/CLIP-ViT-B-16-laion2B-s34B-b88K"),
        512,
        149_620_737,
    ),
    clip(
        "openclip-l14",
        "OpenCLIP ViT-L/14 of LAION-2B",
        laion("laion/CLIP-ViT-L-14-laion2B-s32B-b82K"),
        768,
        427_616_513,
    ),
    clip(
        "openclip-h14",
        "OpenCLIP ViT-H/14 of LAION-2B",
        laion("laion/CLIP-ViT-H-14-laion2B-s32B-b79K"),
        1024,
        986_109_441,
    ),
    clip(
        "openclip-g14",
        "OpenCLIP ViT-g/14 of LAION-2B",
        laion("laion/CLIP-ViT-g-14-laion2B-s34B-b88K"),
        1024,
        1_366_678_273,
    ),
    clip(
        "openclip-bigg14",
        "OpenCLIP ViT-bigG/14 of LAION-2B",
        laion("laion/CLIP-ViT-bigG-14-laion2B-39B-b160k"),
        1280,
        2_539_567_361,
    ),
    NamedModel {
        name: "eva02-e14-plus",
        description: "EVA02-CLIP-E-14-plus of LAION-2B: the text tower for Uni3D, 20 GB of which 2.8 GB are read",
        origin: hub(
            "timm/eva02_enormous_patch14_plus_clip_224.laion2b_s9b_b144k",
            "open_clip_pytorch_model.bin",
        ),
        license: "MIT",
        dim: 1024,
        ..MODEL
    },
    openai("openai-b32", "OpenAI CLIP ViT-B/32", "timm/vit_base_patch32_clip_224.openai", 512, 151_277_313),
    openai("openai-b16", "OpenAI CLIP ViT-B/16", "timm/vit_base_patch16_clip_224.openai", 512, 149_620_737),
    openai("openai-l14", "OpenAI CLIP ViT-L/14", "timm/vit_large_patch14_clip_224.openai", 768, 427_616_513),
    NamedModel {
        name: "slip-b16",
        description: "SLIP ViT-B/16 of YFCC15M, 100 epochs: the towers of ULIP and CG3D",
        origin: Origin::ManualDownload {
            address: "https://dl.fbaipublicfiles.com/slip/",
            id: "slip_base_100ep.pt",
        },
        license: "MIT",
        dim: 512,
        ..MODEL
    },
    points(
        "ulip-pointbert",
        "ULIP PointBERT, 8,192 points, ShapeNet, with its SLIP towers",
        ulip_page("checkpoint_pointbert.pt"),
        512,
        "slip-b16",
    ),
    points(
        "ulip-pointmlp",
        "ULIP PointMLP, 8,192 points, ShapeNet, with its SLIP towers",
        ulip_page("checkpoint_pointmlp.pt"),
        512,
        "slip-b16",
    ),
    points(
        "ulip-pointnext",
        "ULIP PointNeXt-S, 8,192 points, ShapeNet, with its SLIP towers",
        ulip_page("checkpoint_pointnext.pt"),
        512,
        "slip-b16",
    ),
    points(
        "ulip-pointnet2",
        "ULIP PointNet++ SSG, 8,192 points, ShapeNet, with its SLIP towers",
        ulip_page("checkpoint_pointnet2_ssg.pt"),
        512,
        "slip-b16",
    ),
    captioner(
        "blip",
        "BLIP ViT-B/16 at 384 pixels, fine-tuned on COCO's captions",
        hub("Salesforce/blip-image-captioning-base", "pytorch_model.bin"),
        223_971_644,
    ),
    captioner(
        "blip-large",
        "BLIP ViT-L/16 at 384 pixels, fine-tuned on COCO's captions",
        hub("Salesforce/blip-image-captioning-large", "pytorch_model.bin"),
        446_290_492,
    ),
    blip_2(
        "blip2-opt-2.7b",
        "BLIP-2 ViT-g/14 at 224 pixels with OPT-2.7B, 15 GB of memory",
        hub("Salesforce/blip2-opt-2.7b", SHARD_INDEX),
    ),
    blip_2(
        "blip2-opt-6.7b",
        "BLIP-2 ViT-g/14 at 224 pixels with OPT-6.7B, 31 GB of memory: the captioner of ULIP-2",
        hub("Salesforce/blip2-opt-6.7b", SHARD_INDEX),
    ),
];

/// The index of weights in several files.
const SHARD_INDEX: &str = "model.safetensors.index.json";

/// A BLIP-2 captioner. OPT, which is a part of it, has a license of its own.
const fn blip_2(name: &'static str, description: &'static str, origin: Origin) -> NamedModel {
    NamedModel {
        name,
        description,
        origin,
        license: "MIT; OPT-175B license (research only) for its language model",
        modality: Modality::Captioner,
        sidecar_files: &["config.json", "tokenizer.json"],
        ..MODEL
    }
}

/// A captioner, with its configuration and vocabulary files.
const fn captioner(
    name: &'static str,
    description: &'static str,
    origin: Origin,
    parameters: usize,
) -> NamedModel {
    let (license, parameters) = ("BSD-3-Clause", Some(parameters));
    let (modality, sidecar_files): (_, &[&str]) = (Modality::Captioner, &["config.json", "vocab.txt"]);
    NamedModel { name, description, origin, license, modality, parameters, sidecar_files, ..MODEL }
}

/// OpenAI's weights as OpenCLIP publishes them. The configuration file is required: the weights do not imply the activation.
const fn openai(
    name: &'static str,
    description: &'static str,
    repository: &'static str,
    dim: usize,
    parameters: usize,
) -> NamedModel {
    let sidecar_files = &["open_clip_config.json"];
    NamedModel {
        sidecar_files,
        ..clip(name, description, hub(repository, "open_clip_model.safetensors"), dim, parameters)
    }
}

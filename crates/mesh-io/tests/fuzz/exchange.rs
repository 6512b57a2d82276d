//! Small sound files of exchange formats.

use e57::{E57Writer, Record, RecordValue};

pub const FBX: &[u8] = include_bytes!("square.fbx");
pub const AMF: &[u8] = b"<?xml version=\"1.0\"?><amf unit=\"inch\"><object id=\"1\"><metadata type=\"name\">part</metadata><mesh><vertices><vertex><coordinates><x>0</x><y>0</y><z>0</z></coordinates></vertex><vertex><coordinates><x>1</x><y>0</y><z>0</z></coordinates></vertex><vertex><coordinates><x>0</x><y>0</y><z>1</z></coordinates></vertex></vertices><volume materialid=\"2\"><triangle><v1>0</v1><v2>1</v2><v3>2</v3></triangle></volume></mesh></object><material id=\"2\"><metadata type=\"name\">red</metadata><color><r>1</r><g>0</g><b>0</b></color></material><constellation id=\"9\"><instance objectid=\"1\"><deltax>1</deltax><rz>90</rz></instance><instance objectid=\"1\"/></constellation></amf>";
pub const MODEL: &[u8] = b"<?xml version=\"1.0\"?><model unit=\"centimeter\" xmlns=\"http://schemas.microsoft.com/3dmanufacturing/core/2015/02\" xmlns:m=\"http://schemas.microsoft.com/3dmanufacturing/material/2015/02\"><resources><basematerials id=\"5\"><base name=\"red\" displaycolor=\"#FF0000\"/><base name=\"blue\" displaycolor=\"#0000FF80\"/></basematerials><m:colorgroup id=\"6\"><m:color color=\"#00FF00\"/></m:colorgroup><m:multiproperties id=\"7\" pids=\"5 6\"><m:multi pindices=\"0 0\"/></m:multiproperties><object id=\"1\" name=\"part\" pid=\"5\" pindex=\"1\"><mesh><vertices><vertex x=\"0\" y=\"0\" z=\"0\"/><vertex x=\"100\" y=\"0\" z=\"0\"/><vertex x=\"0\" y=\"0\" z=\"100\"/></vertices><triangles><triangle v1=\"0\" v2=\"1\" v3=\"2\"/><triangle v1=\"0\" v2=\"2\" v3=\"1\" pid=\"6\" p1=\"0\"/></triangles></mesh></object><object id=\"2\"><components><component objectid=\"1\"/><component objectid=\"1\" transform=\"1 0 0 0 1 0 0 0 1 200 0 0\"/></components></object></resources><build><item objectid=\"2\" transform=\"1 0 0 0 1 0 0 0 1 0 0 50\"/></build></model>";
pub const X3D: &[u8] = b"<?xml version=\"1.0\"?><!DOCTYPE X3D PUBLIC \"ISO//Web3D//DTD X3D 3.0//EN\" \"http://www.web3d.org/specifications/x3d-3.0.dtd\"><X3D><Scene><Transform translation=\"1 0 0\" rotation=\"0 0 1 1.5707963\"><Shape DEF=\"S\"><Appearance><Material diffuseColor=\"1 0 0\" transparency=\"0.5\"/></Appearance><IndexedFaceSet coordIndex=\"0 1 2 -1 0 2 3 -1\" colorPerVertex=\"false\"><Coordinate point=\"0 0 0, 1 0 0, 1 1 0, 0 1 0\"/></IndexedFaceSet></Shape></Transform><Shape USE=\"S\"/><Shape><Box size=\"1 2 3\"/></Shape><Shape><PointSet><Coordinate point=\"5 5 5 6 6 6\"/></PointSet></Shape></Scene></X3D>";
pub const VRML: &[u8] = b"#VRML V2.0 utf8\nPROTO P [ field SFFloat a 1 ] { Group {} }\nDEF T Transform { scale 2 2 2 children [\n Shape { appearance Appearance { material Material { diffuseColor 0 0 1 } }\n geometry IndexedFaceSet { coord DEF C Coordinate { point [ 0 0 0, 1 0 0, 1 1 0, 0 1 0 ] } coordIndex [ 0, 1, 2, 3, -1 ] color Color { color [ 1 0 0, 0 1 0, 0 0 1, 1 1 1 ] } } }\n Switch { whichChoice 0 choice [ Shape { geometry Cone { height 3 } } ] } ] }\nROUTE T.a TO T.b\nUSE T\n";
pub const DXF: &[u8] = b"0\nSECTION\n2\nTABLES\n0\nLAYER\n2\nred\n62\n1\n0\nENDSEC\n0\nSECTION\n2\nBLOCKS\n0\nBLOCK\n2\npart\n0\n3DFACE\n8\nred\n10\n0\n20\n0\n30\n0\n11\n1\n21\n0\n31\n0\n12\n1\n22\n1\n32\n0\n13\n0\n23\n1\n33\n0\n0\nENDBLK\n0\nENDSEC\n0\nSECTION\n2\nENTITIES\n0\nINSERT\n2\npart\n10\n5\n20\n0\n30\n0\n50\n90\n0\nPOLYLINE\n70\n64\n62\n5\n0\nVERTEX\n70\n192\n10\n0\n20\n0\n30\n0\n0\nVERTEX\n70\n192\n10\n1\n20\n0\n30\n0\n0\nVERTEX\n70\n192\n10\n0\n20\n1\n30\n0\n0\nVERTEX\n70\n128\n71\n1\n72\n-2\n73\n3\n0\nSEQEND\n0\nENDSEC\n0\nEOF\n";
pub const USDA: &[u8] = b"#usda 1.0\n(\n    defaultPrim = \"World\"\n    metersPerUnit = 0.1\n    upAxis = \"Z\"\n)\ndef Xform \"World\"\n{\n    double3 xformOp:translate = (1, 0, 0)\n    uniform token[] xformOpOrder = [\"xformOp:translate\"]\n    def Mesh \"Square\" (\n        prepend apiSchemas = [\"MaterialBindingAPI\"]\n    )\n    {\n        int[] faceVertexCounts = [4]\n        int[] faceVertexIndices = [0, 1, 2, 3]\n        point3f[] points = [(0, 0, 0), (1, 0, 0), (1, 0, 1), (0, 0, 1)]\n        texCoord2f[] primvars:st = [(0, 0), (1, 0), (1, 1), (0, 1)] (\n            interpolation = \"vertex\"\n        )\n        rel material:binding = </World/Looks/Red>\n    }\n    def \"Copy\" (\n        instanceable = true\n        references = </World/Square>\n    )\n    {\n        float xformOp:rotateZ = 90\n        uniform token[] xformOpOrder = [\"xformOp:rotateZ\"]\n    }\n    def Points \"Points\"\n    {\n        point3f[] points.timeSamples = { 0: [(0, 0, 9)], 1: [(0, 0, 8)] }\n        color3f[] primvars:displayColor = [(0, 1, 0)]\n    }\n    def Scope \"Looks\"\n    {\n        def Material \"Red\"\n        {\n            token outputs:surface.connect = </World/Looks/Red/S.outputs:surface>\n            def Shader \"S\"\n            {\n                uniform token info:id = \"UsdPreviewSurface\"\n                color3f inputs:diffuseColor = (1, 0, 0)\n                token outputs:surface\n            }\n        }\n    }\n    def Cube \"Hidden\"\n    {\n        token visibility = \"invisible\"\n    }\n}\n";

/// Names and contents.
pub fn exchange() -> Vec<(String, Vec<u8>)> {
    let mut samples: Vec<(String, Vec<u8>)> =
        [("a.fbx", FBX), ("a.amf", AMF), ("a.x3d", X3D), ("a.wrl", VRML), ("a.dxf", DXF), ("a.usda", USDA)]
            .map(|(name, bytes)| (name.to_owned(), bytes.to_vec()))
            .to_vec();
    samples.push(("a.3mf".to_owned(), super::samples::zip("3D/3dmodel.model", MODEL, false)));
    samples.push(("a.usdz".to_owned(), super::samples::zip("a.usda", USDA, false)));
    samples.push(("a.zip".to_owned(), super::samples::zip("a.obj", super::samples::OBJ, false)));
    samples.push(("a.3ds".to_owned(), tds()));
    samples.push(("a.vox".to_owned(), vox()));
    samples.push(("a.splat".to_owned(), splat()));
    samples.push(("a.e57".to_owned(), e57()));
    samples
}

fn chunk(id: u16, content: &[u8]) -> Vec<u8> {
    [&id.to_le_bytes()[..], &(content.len() as u32 + 6).to_le_bytes(), content].concat()
}

/// A triangle with a red material.
pub fn tds() -> Vec<u8> {
    let floats = |values: &[f32]| values.iter().flat_map(|v| v.to_le_bytes()).collect::<Vec<u8>>();
    let vertices =
        [&3_u16.to_le_bytes()[..], &floats(&[0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 0.0, 1.0])].concat();
    let group = chunk(0x4130, &[&b"red\0"[..], &1_u16.to_le_bytes(), &0_u16.to_le_bytes()].concat());
    let indices: Vec<u8> = [1_u16, 0, 1, 2, 0].iter().flat_map(|v| v.to_le_bytes()).collect();
    let mesh = [
        chunk(0x4110, &vertices),
        chunk(0x4120, &[indices, group].concat()),
        chunk(0x4140, &[&3_u16.to_le_bytes()[..], &floats(&[0.0, 0.0, 1.0, 0.0, 0.0, 1.0])].concat()),
    ];
    let object = [&b"part\0"[..], &chunk(0x4100, &mesh.concat())].concat();
    let color = chunk(0xA020, &chunk(0x0011, &[255, 0, 0]));
    let material = chunk(0xAFFF, &[chunk(0xA000, b"red\0"), color].concat());
    chunk(0x4D4D, &chunk(0x3D3D, &[material, chunk(0x4000, &object)].concat()))
}

/// Two voxels next to each other, red and blue, one higher by a transform.
pub fn vox() -> Vec<u8> {
    let chunk =
        |id: &[u8], content: &[u8]| [id, &(content.len() as u32).to_le_bytes(), &[0; 4], content].concat();
    let numbers = |values: &[u32]| values.iter().flat_map(|v| v.to_le_bytes()).collect::<Vec<u8>>();
    let size = chunk(b"SIZE", &numbers(&[2, 1, 1]));
    let voxels = chunk(b"XYZI", &[numbers(&[2]), vec![0, 0, 0, 1, 1, 0, 0, 2]].concat());
    let palette = chunk(b"RGBA", &[255, 0, 0, 255, 0, 0, 255, 255]);
    // Attributes, child, reserved, layer, frames, attributes of the frame.
    let frame = [numbers(&[1, 2]), b"_t".to_vec(), numbers(&[5]), b"0 0 3".to_vec()].concat();
    let transform = chunk(b"nTRN", &[numbers(&[0, 0, 1, u32::MAX, 0, 1]), frame].concat());
    let shape = chunk(b"nSHP", &numbers(&[1, 0, 1, 0, 0]));
    let children = [size, voxels, transform, shape, palette].concat();
    let main = [b"MAIN", &0_u32.to_le_bytes()[..], &(children.len() as u32).to_le_bytes()].concat();
    [b"VOX ".to_vec(), numbers(&[150]), main, children].concat()
}

/// A red Gaussian and one that cannot be seen.
pub fn splat() -> Vec<u8> {
    let record = |position: [f32; 3], color: [u8; 4]| {
        let floats = position.iter().chain(&[0.1; 3]).flat_map(|v| v.to_le_bytes());
        floats.chain(color).chain([128; 4]).collect::<Vec<u8>>()
    };
    [record([1.0, 2.0, 3.0], [255, 0, 0, 255]), record([0.0; 3], [0, 0, 0, 3])].concat()
}

/// Three points with colors.
pub fn e57() -> Vec<u8> {
    let mut file = std::io::Cursor::new(Vec::new());
    let mut writer = E57Writer::new(&mut file, "file").unwrap();
    let prototype = vec![
        Record::CARTESIAN_X_F64,
        Record::CARTESIAN_Y_F64,
        Record::CARTESIAN_Z_F64,
        Record::COLOR_RED_U8,
        Record::COLOR_GREEN_U8,
        Record::COLOR_BLUE_U8,
    ];
    let mut scan = writer.add_pointcloud("scan", prototype).unwrap();
    for i in 0..3 {
        let position = [f64::from(i), 0.0, 2.0].map(RecordValue::Double);
        let color = [255, 0, 0].map(RecordValue::Integer);
        scan.add_point(position.into_iter().chain(color).collect()).unwrap();
    }
    scan.finalize().unwrap();
    drop(scan);
    writer.finalize().unwrap();
    drop(writer);
    file.into_inner()
}

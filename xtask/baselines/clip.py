"""open_clip ViT-B/32 with random weights on the CPU, in f32 and with weights and inputs in bf16: 12 views of one shape, one text."""
import torch, open_clip

from measure import measure

torch.manual_seed(0)
model = open_clip.create_model("ViT-B-32", pretrained=None).eval()
views, tokens = torch.randn(12, 3, 224, 224), open_clip.get_tokenizer("ViT-B-32")(["a red chair"])

with torch.inference_mode():
    for name, dtype in [("f32", torch.float32), ("bf16", torch.bfloat16)]:
        model, views = model.to(dtype), views.to(dtype)
        measure(f"ViT-B/32, 12 views, {name}", lambda: model.encode_image(views))
        measure(f"ViT-B/32, 1 text, {name}", lambda: model.encode_text(tokens))

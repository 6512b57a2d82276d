"""open_clip ViT-B/32 with random weights on the CPU: 12 views of one shape, one text."""
import torch, open_clip

from measure import measure

torch.manual_seed(0)
model = open_clip.create_model("ViT-B-32", pretrained=None).eval()
views, tokens = torch.randn(12, 3, 224, 224), open_clip.get_tokenizer("ViT-B-32")(["a red chair"])

with torch.inference_mode():
    measure("ViT-B/32, 12 views", lambda: model.encode_image(views))
    measure("ViT-B/32, 1 text", lambda: model.encode_text(tokens))

"""Full-size CLIP towers with random weights: open_clip and transformers compared with ours. No weights are downloaded.

usage: clip_towers.py EXAMPLE [NAME…]    EXAMPLE is the program `parity_towers`; without names all cases run

Each case writes a checkpoint in a released layout, two images' pixels and three texts' tokens; PyTorch's features and ours
are compared. Prints one row a case; fails if a relative difference is above 1e-5."""
import json, os, subprocess, sys, tempfile
import torch
from safetensors.torch import load_file, save_file

LIMIT = 1e-5
SOT, EOT = 49406, 49407


def inputs(size):
    pixels = torch.randn(2, 3, size, size)
    tokens = torch.zeros(3, 77, dtype=torch.long)
    for row, words in zip(tokens, (1, 9, 75)):
        row[0], row[1 : 1 + words], row[1 + words] = SOT, torch.randint(1, SOT, (words,)), EOT
    return pixels, tokens


def open_clip_model(name, **options):
    import open_clip

    model = open_clip.create_model(name, pretrained=None, **options).eval()
    return spread(model), lambda pixels, tokens: (model.encode_image(pixels), model.encode_text(tokens))


def spread(model):
    """Biases and norms start at 0 and 1, where mistakes do not show."""
    for name, parameter in model.named_parameters():
        if parameter.ndim == 1 and name != "logit_scale":
            parameter.data.add_(0.1 * torch.randn_like(parameter))
    return model


def open_clip_case(name, folder):
    model, encode = open_clip_model(name)
    path = f"{folder}/open_clip_pytorch_model.bin"
    torch.save(model.state_dict(), path)
    if "quickgelu" in name:
        import open_clip

        with open(f"{folder}/open_clip_config.json", "w") as file:
            json.dump({"model_cfg": open_clip.get_model_config(name)}, file)
    return path, encode, 224


def resized_case(name, folder, size):
    """Weights of 224-pixel images, opened for larger ones."""
    from open_clip.model import resize_pos_embed

    model, _ = open_clip_model(name)
    path = f"{folder}/open_clip_pytorch_model.bin"
    state = model.state_dict()
    torch.save(state, path)
    larger, encode = open_clip_model(name, force_image_size=size)
    resize_pos_embed(state, larger)
    larger.load_state_dict(state)
    return path, encode, size


class Part(torch.nn.Module):
    def forward(self, x):
        return x


def openai_case(folder, scripted):
    """Half precision and three numbers beside the weights, as a state dict or a TorchScript archive."""
    model, encode = open_clip_model("ViT-B-32-quickgelu")
    state = {name: value.half() for name, value in model.state_dict().items() if name != "attn_mask"}
    model.load_state_dict({name: value.float() for name, value in state.items()}, strict=False)
    state |= {"input_resolution": torch.tensor(224), "context_length": torch.tensor(77), "vocab_size": torch.tensor(49408)}
    path = f"{folder}/ViT-B-32.pt"
    if not scripted:
        torch.save(state, path)
        return path, encode, 224
    root = Part()
    for name, value in state.items():
        *parts, last = name.split(".")
        part = root
        for step in parts:
            if not hasattr(part, step):
                part.add_module(step, Part())
            part = getattr(part, step)
        if value.is_floating_point():
            part.register_parameter(last, torch.nn.Parameter(value, requires_grad=False))
        else:
            part.register_buffer(last, value)
    torch.jit.save(torch.jit.script(root), path)
    return path, encode, 224


HUGGING_FACE = {
    "B-32": dict(vision=dict(patch_size=32), text=dict(), dim=512),
    "B-16": dict(vision=dict(patch_size=16), text=dict(), dim=512),
    "L-14": dict(
        vision=dict(patch_size=14, hidden_size=1024, intermediate_size=4096, num_hidden_layers=24, num_attention_heads=16),
        text=dict(hidden_size=768, intermediate_size=3072, num_attention_heads=12),
        dim=768,
    ),
}


def transformers_case(name, folder, activation):
    from transformers import CLIPConfig, CLIPModel

    sizes = HUGGING_FACE[name]
    config = CLIPConfig(
        text_config=dict(sizes["text"], hidden_act=activation, projection_dim=sizes["dim"], bos_token_id=SOT, eos_token_id=EOT),
        vision_config=dict(sizes["vision"], hidden_act=activation, projection_dim=sizes["dim"]),
        projection_dim=sizes["dim"],
    )
    model = spread(CLIPModel(config).eval())
    model.save_pretrained(folder)

    def encode(pixels, tokens):
        features = model.get_image_features(pixel_values=pixels), model.get_text_features(input_ids=tokens)
        # Newer releases give the whole output.
        return [getattr(found, "pooler_output", found) for found in features]

    return f"{folder}/model.safetensors", encode, 224


CASES = {
    "open_clip ViT-B-32": lambda folder: open_clip_case("ViT-B-32", folder),
    "open_clip ViT-B-32-quickgelu": lambda folder: open_clip_case("ViT-B-32-quickgelu", folder),
    "open_clip ViT-B-16": lambda folder: open_clip_case("ViT-B-16", folder),
    "open_clip ViT-B-16 at 288 px": lambda folder: resized_case("ViT-B-16", folder, 288),
    "open_clip ViT-B-32 at 160 px": lambda folder: resized_case("ViT-B-32", folder, 160),
    "open_clip ViT-L-14": lambda folder: open_clip_case("ViT-L-14", folder),
    "OpenAI ViT-B-32, state dict in half precision": lambda folder: openai_case(folder, False),
    "OpenAI ViT-B-32, TorchScript in half precision": lambda folder: openai_case(folder, True),
    "transformers B-32, gelu": lambda folder: transformers_case("B-32", folder, "gelu"),
    "transformers B-32, quick_gelu": lambda folder: transformers_case("B-32", folder, "quick_gelu"),
    "transformers B-16, quick_gelu": lambda folder: transformers_case("B-16", folder, "quick_gelu"),
    "transformers L-14, quick_gelu": lambda folder: transformers_case("L-14", folder, "quick_gelu"),
}


def largest_difference(found, expected):
    return float((found - expected).abs().max() / expected.abs().max())


def run(example, name):
    torch.manual_seed(7)
    with tempfile.TemporaryDirectory() as folder:
        path, encode, size = CASES[name](folder)
        pixels, tokens = inputs(size)
        expected = dict(zip(("image", "text"), encode(pixels, tokens)))
        save_file({"pixels": pixels, "tokens": tokens.float()}, f"{folder}/inputs.safetensors")
        del encode
        resized = [str(size)] if size != 224 else []
        subprocess.run([example, path, folder, *resized], check=True)
        found = load_file(f"{folder}/found.safetensors")
        return [largest_difference(found[part], expected[part]) for part in ("image", "text")]


if __name__ == "__main__":
    example, names = os.path.abspath(sys.argv[1]), sys.argv[2:] or list(CASES)
    worst = 0.0
    print("| case | image | text |\n|---|---|---|")
    with torch.inference_mode():
        for name in names:
            image, text = run(example, name)
            worst = max(worst, image, text)
            print(f"| {name} | {image:.1e} | {text:.1e} |", flush=True)
    sys.exit(f"relative difference {worst:.1e}, expected at most {LIMIT:.0e}" if worst > LIMIT else 0)

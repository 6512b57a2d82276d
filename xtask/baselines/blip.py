"""BLIP captioners with random weights: transformers compared with ours. No weights are downloaded.

usage: blip.py EXAMPLE [NAME…]      EXAMPLE is the program `parity_blip`; without names all cases run
       blip.py --fixture FOLDER     writes the small golden case

Each case writes a checkpoint with its config.json and vocab.txt. Image features and the logits of a given caption are
compared by the largest relative difference, captions token for token: greedy, three beams, and both after a prompt.
Prints one row a case; fails if a difference is above 1e-5 or a token differs."""
import json, os, shutil, subprocess, sys, tempfile
import torch
from safetensors.torch import load_file, save_file

LIMIT = 1e-5
# Added to the logit of the end, so that captions end after some words.
END_BIAS = 4.5
PROMPT = "a picture of "
# What the original captioner asks for: caption_coco.yaml.
ORIGINAL = dict(max_length=20, min_length=5)

WORDS = """[PAD] [UNK] [CLS] [SEP] [MASK] ! ' ( ) , - . ? a b c d e f g h i l m n o p r s t u v w y ##a ##b ##c ##d ##e ##f ##g ##h ##i ##l
##m ##n ##o ##p ##r ##s ##t ##u ##v ##w ##y ##en ##ing ##ed an of on the with picture photo chair table lamp red blue wood man woman cafe do not is
and round tall small two legs seat back white 3 4 ##d 椅""".split()

TINY = dict(
    text=dict(hidden_size=32, intermediate_size=64, num_hidden_layers=2, num_attention_heads=4, max_position_embeddings=32),
    vision=dict(hidden_size=48, intermediate_size=96, num_hidden_layers=2, num_attention_heads=3, image_size=24, patch_size=8),
)
BASE = dict(text=dict(num_attention_heads=12), vision=dict())
LARGE_VISION = dict(hidden_size=1024, intermediate_size=4096, num_hidden_layers=24, num_attention_heads=16)
LARGE = dict(text=dict(num_attention_heads=12), vision=LARGE_VISION)
CASES = {"blip tiny": TINY, "blip ViT-B-16": BASE, "blip ViT-L-16": LARGE}


def vocabulary(sizes):
    """Words, then unused entries up to the size of BERT's vocabulary for full-size models."""
    words = list(dict.fromkeys(WORDS))
    return words if sizes is TINY else words + [f"[unused{i}]" for i in range(30522 - len(words))]


def build(sizes):
    from transformers import BlipConfig, BlipForConditionalGeneration

    words = vocabulary(sizes)
    ids = dict(vocab_size=len(words) + 2, bos_token_id=len(words), sep_token_id=3, pad_token_id=0)
    config = BlipConfig(text_config=dict(sizes["text"], **ids), vision_config=sizes["vision"])
    model = spread(BlipForConditionalGeneration(config).eval(), 3)
    return model.half().float(), words


def spread(model, end):
    """Weights whose captions depend on the picture and end: as they are first drawn, all captions are alike."""
    for name, parameter in model.named_parameters():
        if parameter.ndim == 1 or "LayerNorm" in name or "layer_norm" in name:
            parameter.data.add_(0.2 * torch.randn_like(parameter))
        elif "embedding" in name and "patch" not in name:
            parameter.data.normal_(std=0.5)
        else:
            fan = parameter[0].numel()
            parameter.data.normal_(std=1.2 * fan**-0.5)
    decoder = model.text_decoder
    # Places and words matter as much as the picture, and an end comes after some words.
    decoder.bert.embeddings.position_embeddings.weight.data.normal_(std=1.5)
    decoder.bert.embeddings.word_embeddings.weight.data.normal_(std=3.0 * decoder.config.hidden_size**-0.5)
    decoder.cls.predictions.bias.data[end] += END_BIAS
    for name, parameter in decoder.named_parameters():
        if name.endswith(("query.weight", "key.weight")):
            parameter.data.mul_(3.0)
        elif name.endswith("crossattention.output.dense.weight"):
            parameter.data.mul_(2.0)
        elif name.endswith("LayerNorm.bias"):
            parameter.data.mul_(0.2)
    return model


def tokenizer(folder):
    from transformers import BertTokenizer

    found = BertTokenizer(vocab=f"{folder}/vocab.txt")
    found.add_special_tokens({"bos_token": "[DEC]", "additional_special_tokens": ["[ENC]"]})
    return found


def write_model(model, words, folder):
    """Halves, as `from_pretrained` would read them, and the files that stand beside them."""
    with open(f"{folder}/vocab.txt", "w") as file:
        file.write("".join(f"{word}\n" for word in words))
    model.half().save_pretrained(folder)
    model.float()
    os.remove(f"{folder}/generation_config.json")


def expected(model, words, pixels, folder):
    """Features, logits of a caption, and captions by their ids."""
    prompt = tokenizer(folder)(PROMPT, return_tensors="pt").input_ids
    caption = torch.tensor([[len(words), *torch.randint(5, 60, (11,)).tolist()]]).repeat(len(pixels), 1)
    outputs = model(pixel_values=pixels, input_ids=caption)
    ways = {"greedy": dict(num_beams=1), "beams": dict(num_beams=3)}
    captions = {}
    for name, way in ways.items():
        for start, ids in (("", None), (" prompted", prompt.repeat(len(pixels), 1))):
            found = model.generate(pixel_values=pixels, input_ids=ids, do_sample=False, **way, **ORIGINAL)
            captions[name + start] = [trim(row) for row in found.tolist()]
    tensors = {"features": outputs.image_embeds, "caption": caption.float(), "logits": outputs.logits}
    return {name: value.contiguous() for name, value in tensors.items()}, captions


def trim(row, end=3):
    """Ids up to the end: what follows is filled with padding, after beams with more ends."""
    return row[: row.index(end) + 1] if end in row else row


def pixels_of(sizes):
    edge = sizes["vision"].get("image_size", 384)
    return torch.randn(2, 3, edge, edge)


def run(example, name):
    torch.manual_seed(11)
    sizes = CASES[name]
    model, words = build(sizes)
    with tempfile.TemporaryDirectory() as folder:
        write_model(model, words, folder)
        pixels = pixels_of(sizes)
        tensors, captions = expected(model, words, pixels, folder)
        save_file({"pixels": pixels, "caption": tensors["caption"]}, f"{folder}/inputs.safetensors")
        del model
        subprocess.run([example, f"{folder}/model.safetensors", folder, PROMPT], check=True)
        found = load_file(f"{folder}/found.safetensors")
        with open(f"{folder}/found.json") as file:
            said = json.load(file)
    differences = [largest_difference(found[part], tensors[part]) for part in ("features", "logits")]
    return differences, [way for way in captions if said[way] != captions[way]]


def largest_difference(found, expected):
    return float((found - expected).abs().max() / expected.abs().max())


def write_fixture(folder):
    """The tiny case with pictures to be prepared, and what BERT's tokenizer makes of some texts."""
    import numpy
    from transformers.models.blip.image_processing_pil_blip import BlipImageProcessorPil

    torch.manual_seed(5)
    model, words = build(TINY)
    shutil.rmtree(folder, ignore_errors=True)
    os.makedirs(folder)
    write_model(model, words, folder)
    views = torch.nn.functional.interpolate(torch.rand(4, 3, 5, 5), size=(36, 36), mode="bicubic").clamp(0, 1)
    views = (views.permute(0, 2, 3, 1) * 255).byte()
    processor = BlipImageProcessorPil(size=dict(height=24, width=24))
    pixels = processor(images=[numpy.asarray(view) for view in views], return_tensors="pt").pixel_values
    tensors, captions = expected(model, words, pixels, folder)
    save_file({"views": views.contiguous(), **tensors}, f"{folder}/expected.safetensors")
    words = tokenizer(folder)
    texts = ["a picture of ", "A man's (wooden) chair, red.", "Café do not  sit?", "three-legged!\ttable", "椅 and 3d", "x" * 101, ""]
    decoded = {way: [words.decode(row, skip_special_tokens=True, clean_up_tokenization_spaces=True) for row in rows] for way, rows in captions.items()}
    encoded = [[text, words(text).input_ids] for text in texts]
    spoken = [[ids, words.decode(ids, skip_special_tokens=True, clean_up_tokenization_spaces=True)] for _, ids in encoded]
    with open(f"{folder}/expected.json", "w") as file:
        json.dump({"ids": captions, "text": decoded, "encoded": encoded, "decoded": spoken}, file, indent=1, ensure_ascii=False)
    for way, rows in decoded.items():
        print(way, rows, captions[way])


if __name__ == "__main__":
    with torch.inference_mode():
        if sys.argv[1] == "--fixture":
            sys.exit(write_fixture(sys.argv[2]))
        example, names = os.path.abspath(sys.argv[1]), sys.argv[2:] or list(CASES)
        failed = []
        print("| case | image features | logits | captions that differ |\n|---|---|---|---|")
        for name in names:
            (features, logits), differing = run(example, name)
            print(f"| {name} | {features:.1e} | {logits:.1e} | {', '.join(differing) or 'none'} |", flush=True)
            if differing or max(features, logits) > LIMIT:
                failed.append(name)
    sys.exit(f"other than transformers': {', '.join(failed)}" if failed else 0)

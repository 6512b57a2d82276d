"""BLIP-2 captioners with random weights, and what transformers computes with them. No weights are downloaded.

usage: blip2.py --fixture FOLDER     writes fixtures/blip2_tiny
       blip2.py EXAMPLE              compares with ours at the published widths; EXAMPLE is the program `parity_blip`

The checkpoint is `Blip2ForConditionalGeneration` with OPT in half precision, in several safetensors files with an index, with
config.json, and with the tokenizer.json of a byte-level BPE trained on a few sentences. Expected: image tokens, Q-Former outputs,
logits of a text, captions by greedy and beam search with and without a prompt, candidates of nucleus sampling, and what the
tokenizer makes of some texts."""
import json, os, shutil, subprocess, sys, tempfile
import numpy, torch
from safetensors.torch import load_file, save_file
from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import Blip2Config, Blip2ForConditionalGeneration
from transformers.models.blip.image_processing_pil_blip import BlipImageProcessorPil

SENTENCES = [
    "a photo of a red wooden chair with a round seat and four tall legs.",
    "a white table that has two drawers, isn't it? it's 35 cm high",
    "the 3d model of a small lamp, rendered on a white background\n",
    "two blue cups and they're standing on the table; a man's hat!",
]
TEXTS = [
    "a photo of", "Question: what is it? Answer:", "  two   spaces\tand\n\nlines ", "it's they'll 'round", "Café ÿ 椅子 ½ Ⅷ ²3x", "a\u0301b ⓐ \u00a0 x", "", " a",
    "</s>red<image>chair", "🪑 naïve—dash…", "हिन्दी 12३",
]
PROMPT = "a photo of"
# Greedy text must agree over so many tokens.
LENGTH = 32
# Largest relative difference of image tokens and logits.
LIMIT = 1e-5

TINY = dict(
    vision=dict(hidden_size=48, intermediate_size=104, num_hidden_layers=2, num_attention_heads=3, image_size=24, patch_size=8),
    qformer=dict(hidden_size=32, intermediate_size=56, num_hidden_layers=3, num_attention_heads=4, vocab_size=8, max_position_embeddings=4),
    text=dict(hidden_size=40, word_embed_proj_dim=40, ffn_dim=72, num_hidden_layers=3, num_attention_heads=5, max_position_embeddings=60),
    queries=6,
)
# The published widths with fewer layers: what fits into memory twice.
WIDE = dict(
    vision=dict(num_hidden_layers=4),
    qformer=dict(vocab_size=8, max_position_embeddings=4),
    text=dict(hidden_size=2560, word_embed_proj_dim=2560, ffn_dim=10240, num_hidden_layers=3, num_attention_heads=32),
    queries=32,
)


def tokenizer():
    found = Tokenizer(models.BPE())
    found.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    found.decoder = decoders.ByteLevel()
    special = ["<s>", "<pad>", "</s>", "<unk>"]
    trainer = trainers.BpeTrainer(
        vocab_size=420, special_tokens=special, initial_alphabet=pre_tokenizers.ByteLevel.alphabet(), show_progress=False
    )
    found.train_from_iterator(SENTENCES * 3, trainer)
    found.add_special_tokens([AddedToken("<image>", special=True, normalized=False)])
    return found


def build(words, sizes):
    end = words.encode("\n").ids[0]
    ids = dict(bos_token_id=2, eos_token_id=end, pad_token_id=1, vocab_size=words.get_vocab_size() + 3)
    config = Blip2Config(
        vision_config=sizes["vision"], qformer_config=sizes["qformer"], text_config=dict(sizes["text"], model_type="opt", **ids),
        num_query_tokens=sizes["queries"], image_token_index=words.token_to_id("<image>"),
    )
    model = spread(Blip2ForConditionalGeneration(config).eval())
    return model.half().float(), end


def spread(model):
    """Weights whose captions depend on the picture: as they are first drawn, all captions are alike."""
    for name, parameter in model.named_parameters():
        if parameter.ndim == 1:
            parameter.data.add_(0.2 * torch.randn_like(parameter))
        elif "embed" in name and "patch" not in name or "query_tokens" in name:
            parameter.data.normal_(std=0.6)
        else:
            parameter.data.normal_(std=1.2 * parameter[0].numel() ** -0.5)
        if name.endswith(("q_proj.weight", "k_proj.weight", "query.weight", "key.weight")):
            parameter.data.mul_(1.5)
        elif name == "language_projection.weight":
            parameter.data.mul_(3.0)
    # Places matter as much as words, and an end comes after some words.
    decoder = model.language_model.model.decoder
    decoder.embed_positions.weight.data.normal_(std=1.5)
    decoder.embed_tokens.weight.data.mul_(0.4)
    decoder.embed_tokens.weight.data[model.config.text_config.eos_token_id].mul_(1.5)
    return model


def captions(model, words, pixels, end, length):
    """Generated ids of each way, up to the end."""
    image = [words.token_to_id("<image>")] * model.config.num_query_tokens + [2]
    ways = {"greedy": dict(num_beams=1), "beams": dict(num_beams=5)}
    found = {}
    for name, way in ways.items():
        for start, prompt in (("", []), (" prompted", words.encode(PROMPT).ids)):
            ids = torch.tensor([image + prompt]).repeat(len(pixels), 1)
            rows = model.generate(pixel_values=pixels, input_ids=ids, do_sample=False, max_new_tokens=length, min_new_tokens=1, **way)
            assert rows[:, : ids.shape[1]].equal(ids)
            rows = rows[:, ids.shape[1] :].tolist()
            found[name + start] = [row[: row.index(end)] if end in row else row for row in rows]
    return found


def nucleus(logits, top_p=0.9):
    """Ids that transformers keeps for sampling."""
    from transformers import TopPLogitsWarper

    kept = TopPLogitsWarper(top_p)(None, logits)
    return [sorted(torch.nonzero(row > -float("inf")).flatten().tolist()) for row in kept]


def write_model(model, words, folder, shard):
    model.half().save_pretrained(folder, max_shard_size=shard)
    model.float()
    if os.path.exists(f"{folder}/generation_config.json"):
        os.remove(f"{folder}/generation_config.json")
    words.save(f"{folder}/tokenizer.json", pretty=False)


def expected(model, words, pixels):
    """Image tokens, Q-Former outputs, and the logits of a text."""
    queries = model.config.num_query_tokens
    image = [words.token_to_id("<image>")] * queries
    ids = torch.tensor([image + [2] + words.encode(PROMPT).ids + [20, 31, 42, 53]]).repeat(len(pixels), 1)
    tokens = model.vision_model(pixels).last_hidden_state
    outputs = model.qformer(query_embeds=model.query_tokens.expand(len(pixels), -1, -1), encoder_hidden_states=tokens).last_hidden_state
    logits = model(pixel_values=pixels, input_ids=ids).logits
    return dict(features=tokens, queries=model.language_projection(outputs), text=ids[:, queries:].float(), logits=logits[:, queries:])


def compare(example):
    """Prints one row of differences; fails if one is above the limit or a token differs."""
    torch.manual_seed(11)
    words = tokenizer()
    model, end = build(words, WIDE)
    with tempfile.TemporaryDirectory() as folder:
        write_model(model, words, folder, "500MB")
        pixels = torch.randn(2, 3, 224, 224)
        tensors, said = expected(model, words, pixels), captions(model, words, pixels, end, 30)
        save_file({"pixels": pixels, "caption": tensors["text"].contiguous()}, f"{folder}/inputs.safetensors")
        del model
        subprocess.run([example, folder, folder, PROMPT], check=True)
        found = load_file(f"{folder}/found.safetensors")
        with open(f"{folder}/found.json") as file:
            ours = json.load(file)
    differences = [float((found[part] - tensors[part]).abs().max() / tensors[part].abs().max()) for part in ("features", "logits")]
    given = {"": 1, " prompted": 1 + len(words.encode(PROMPT).ids)}
    differing = []
    for way, rows in said.items():
        start = given[" prompted" if way.endswith("prompted") else ""]
        if [[id for id in row[start:] if id != end] for row in ours[way]] != rows:
            differing.append(way)
    print("| case | image features | logits | captions that differ |\n|---|---|---|---|")
    print(f"| blip2 ViT-g-14 OPT-2.7B, 4 + 12 + 3 layers | {differences[0]:.1e} | {differences[1]:.1e} | {', '.join(differing) or 'none'} |")
    sys.exit("other than transformers'" if differing or max(differences) > LIMIT else 0)


def write_fixture(folder):
    torch.manual_seed(7)
    words = tokenizer()
    model, end = build(words, TINY)
    shutil.rmtree(folder, ignore_errors=True)
    os.makedirs(folder)
    write_model(model, words, folder, "150KB")
    views = torch.nn.functional.interpolate(torch.rand(3, 3, 5, 5), size=(36, 30), mode="bicubic").clamp(0, 1)
    views = (views.permute(0, 2, 3, 1) * 255).byte()
    processor = BlipImageProcessorPil(size=dict(height=24, width=24))
    pixels = processor(images=[numpy.asarray(view) for view in views], return_tensors="pt").pixel_values
    said = captions(model, words, pixels, end, LENGTH)
    tensors = expected(model, words, pixels)
    after_prompt = tensors["logits"][:, len(words.encode(PROMPT).ids)]
    tensors = dict(tensors, views=views, pixels=pixels, text=tensors["text"][0])
    save_file({name: value.detach().contiguous() for name, value in tensors.items()}, f"{folder}/expected.safetensors")
    encoded = [[text, words.encode(text).ids] for text in TEXTS]
    spoken = [row for rows in said.values() for row in rows] + [row for _, row in encoded]
    decoded = [[row, words.decode(row, skip_special_tokens=True).strip()] for row in spoken]
    results = dict(end=end, ids=said, nucleus=nucleus(after_prompt), encoded=encoded, decoded=decoded)
    with open(f"{folder}/expected.json", "w") as file:
        json.dump(results, file, ensure_ascii=False)
    for way, rows in said.items():
        print(way, [len(row) for row in rows], [words.decode(row) for row in rows][:2])


if __name__ == "__main__":
    with torch.inference_mode():
        write_fixture(sys.argv[2]) if sys.argv[1] == "--fixture" else compare(os.path.abspath(sys.argv[1]))

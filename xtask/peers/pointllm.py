"""PointLLM v1.2 with random weights, and what its parts compute. No weights are downloaded.

usage: pointllm.py CODE FOLDER     writes fixtures/pointllm_tiny; CODE is a copy of github.com/InternRobotics/PointLLM

The point backbone is the authors' `PointTransformer`, run from CODE with its first farthest point fixed to 0; the projector is the one
of `pointllm.py`; the language model is transformers' Llama. The tokenizer is a byte-pair encoding of characters with bytes as a
fallback, as Llama's. The largest weight follows `ruled`, which the test repeats, so that the fixture is small."""
import importlib, json, os, shutil, sys, types
import numpy as np
import torch
from safetensors.torch import save_file
from tokenizers import AddedToken, Tokenizer, decoders, models, normalizers, processors, trainers
from transformers import LlamaConfig, LlamaForCausalLM

SYSTEM = "A chat between a curious user and an artificial intelligence assistant. The assistant gives helpful, detailed, and polite answers to the user's questions."
SENTENCES = [SYSTEM, "USER: What is this? ASSISTANT: a red wooden chair with four legs", "This is a 3D model of a table.", "What is this for?\nIs it broken?"]
TEXTS = ["What is this?", " two  spaces", "", "caf\u00e9 \u6905\u5b50 \U0001fa91", "a\nb\tc", "x<point_end>\nWhat is it?", "</s>", "A chat </s> USER", "1234.5"]
QUESTION = "What is this?"
LENGTH = 32
BACKBONE = dict(trans_dim=48, depth=2, drop_path_rate=0.1, cls_dim=40, num_heads=3, group_size=8, num_group=16, encoder_dims=32, point_dims=6)
HIDDEN = [64, 56]
POINT_TOKENS = ["<point_patch>", "<point_start>", "<point_end>"]
RULED = "model.point_backbone.encoder.second_conv.0.weight"


def tokenizer():
    words = Tokenizer(models.BPE())
    normalize = normalizers.Sequence([normalizers.Prepend("\u2581"), normalizers.Replace(" ", "\u2581")])
    words.normalizer = normalize
    words.train_from_iterator(SENTENCES * 3, trainers.BpeTrainer(vocab_size=200, show_progress=False))
    learned = json.loads(words.to_str())["model"]
    names = ["<unk>", "<s>", "</s>", *(f"<0x{byte:02X}>" for byte in range(256)), *sorted(learned["vocab"], key=learned["vocab"].get)]
    vocab = {name: id for id, name in enumerate(names)}
    merges = [tuple(merge) if isinstance(merge, list) else tuple(merge.split(" ")) for merge in learned["merges"]]
    words = Tokenizer(models.BPE(vocab=vocab, merges=merges, unk_token="<unk>", fuse_unk=True, byte_fallback=True))
    words.normalizer = normalize
    words.decoder = decoders.Sequence([decoders.Replace("\u2581", " "), decoders.ByteFallback(), decoders.Fuse(), decoders.Strip(" ", 1, 0)])
    words.post_processor = processors.TemplateProcessing(single="<s> $A", special_tokens=[("<s>", 1)])
    words.add_special_tokens([AddedToken(name, normalized=False, special=True) for name in ("<unk>", "<s>", "</s>", *POINT_TOKENS)])
    return words


def authors_module(code, name):
    """A module of `pointllm.model.pointbert`, without the package's other imports."""
    for stub in ("timm", "timm.models", "timm.models.layers", "mpl_toolkits", "mpl_toolkits.mplot3d", "matplotlib", "matplotlib.pyplot", "termcolor"):
        sys.modules.setdefault(stub, types.ModuleType(stub))
    sys.modules["timm.models.layers"].DropPath = lambda rate: torch.nn.Identity()
    sys.modules["mpl_toolkits.mplot3d"].Axes3D = None
    sys.modules["termcolor"].colored = lambda text, *style: text
    package = "peer_pointbert"
    if package not in sys.modules:
        sys.modules[package] = types.ModuleType(package)
        sys.modules[package].__path__ = [f"{code}/pointllm/model/pointbert"]
    return importlib.import_module(f"{package}.{name}")


def backbone(code):
    misc = authors_module(code, "misc")
    # The authors start at a random point.
    misc.torch = types.SimpleNamespace(**{name: getattr(torch, name) for name in dir(torch) if not name.startswith("__")})
    misc.torch.randint = lambda low, high, size, dtype: torch.zeros(size, dtype=dtype)
    encoder = authors_module(code, "point_encoder")
    return encoder.PointTransformer(types.SimpleNamespace(**BACKBONE), use_max_pool=False)


def ruled(shape):
    """Weights by a rule on their index: in half precision exactly k / 32768 for whole k below 1024 in size."""
    i = np.arange(np.prod(shape), dtype=np.uint64)
    k = ((i * 2654435761 + 12345) >> 16) % 2048
    return torch.from_numpy((k.astype(np.float32) - 1024) / 32768).reshape(shape)


def randomize(module):
    for name, parameter in module.named_parameters():
        if "norm" in name or ".1." in name and parameter.ndim == 1:
            parameter.data.normal_(mean=1.0 if name.endswith("weight") else 0.0, std=0.2)
        elif name.endswith("embed_tokens.weight") or name.endswith(("cls_token", "cls_pos")):
            parameter.data.normal_()
        elif parameter.ndim == 1:
            parameter.data.normal_(std=0.1)
        else:
            parameter.data.normal_(std=2.2 * parameter.shape[1] ** -0.5)
    for name, buffer in module.named_buffers():
        if name.endswith("running_mean"):
            buffer.normal_(std=0.1)
        elif name.endswith("running_var"):
            buffer.uniform_(0.7, 1.3)


def main(code, root, seed=8):
    torch.manual_seed(int(seed))
    shutil.rmtree(root, ignore_errors=True)
    os.makedirs(root)
    words = tokenizer()
    words.save(f"{root}/tokenizer.json", pretty=False)
    config = LlamaConfig(
        vocab_size=words.get_vocab_size(), hidden_size=48, num_hidden_layers=3, num_attention_heads=4, num_key_value_heads=4,
        intermediate_size=80, max_position_embeddings=256, bos_token_id=1, eos_token_id=2, pad_token_id=0, tie_word_embeddings=False,
    )
    language = LlamaForCausalLM(config).eval()
    points = backbone(code).eval()
    sizes = [BACKBONE["trans_dim"], *HIDDEN, config.hidden_size]
    layers = [torch.nn.Linear(a, b) for a, b in zip(sizes, sizes[1:])]
    projector = torch.nn.Sequential(layers[0], torch.nn.GELU(), layers[1], torch.nn.GELU(), layers[2]).eval()
    for module in (language, points, projector):
        randomize(module)
    large = points.encoder.second_conv[0].weight
    large.data = ruled(large.shape)
    for module in (language.model, language.lm_head, points, projector):
        for values in module.parameters():
            # The fixture has half precision.
            values.data = values.data.half().float()
    for buffer in points.buffers():
        if buffer.is_floating_point():
            buffer.data = buffer.data.half().float()

    cloud = torch.rand(1, 256, 6)
    cloud[..., :3] -= 0.5
    cloud[..., :3] -= cloud[..., :3].mean(1, keepdim=True)
    cloud[..., :3] /= cloud[..., :3].norm(dim=-1).max()
    tokens = points(cloud)
    projected = projector(tokens)
    point_text = POINT_TOKENS[1] + POINT_TOKENS[0] * tokens.shape[1] + POINT_TOKENS[2]
    prompt = f"{SYSTEM} USER: {point_text}\n{QUESTION} ASSISTANT:"
    ids = words.encode(prompt).ids
    first = ids.index(words.token_to_id(POINT_TOKENS[1])) + 1
    embedded = language.model.embed_tokens(torch.tensor([ids]))
    embedded[:, first : first + tokens.shape[1]] = projected
    logits = language(inputs_embeds=embedded).logits[0]
    greedy, x = [], embedded
    while len(greedy) < LENGTH:
        greedy.append(int(language(inputs_embeds=x).logits[0, -1].argmax()))
        if greedy[-1] == config.eos_token_id:
            break
        x = torch.cat((x, language.model.embed_tokens(torch.tensor([greedy[-1:]]))), 1)

    state = {name: values for name, values in language.state_dict().items()}
    state |= {f"model.point_backbone.{name}": values for name, values in points.state_dict().items()}
    state |= {f"model.point_proj.{name}": values for name, values in projector.state_dict().items()}
    state = {name: values.half() if values.is_floating_point() else values for name, values in state.items()}
    # Older versions of transformers stored the frequencies of rotary positions.
    state["model.layers.0.self_attn.rotary_emb.inv_freq"] = torch.ones(6)
    names = [name for name in state if name != RULED]
    shards = {"pytorch_model-00001-of-00003.bin": names[: len(names) // 2], "pytorch_model-00002-of-00003.bin": names[len(names) // 2 :]}
    for file, part in shards.items():
        torch.save({name: state[name].clone() for name in part}, f"{root}/{file}")
    weight_map = {name: file for file, part in shards.items() for name in part} | {RULED: "model-00003-of-00003.safetensors"}
    with open(f"{root}/pytorch_model.bin.index.json", "w") as file:
        json.dump(dict(metadata={}, weight_map=weight_map), file)
    stated = dict(
        architectures=["PointLLMLlamaForCausalLM"], model_type="pointllm", point_backbone="PointBERT", use_color=True, mm_use_point_start_end=True,
        point_backbone_config_name="PointTransformer_8192point_2layer", DEFAULT_POINT_PATCH_TOKEN=POINT_TOKENS[0],
        DEFAULT_POINT_START_TOKEN=POINT_TOKENS[1], DEFAULT_POINT_END_TOKEN=POINT_TOKENS[2], hidden_act="silu", rms_norm_eps=config.rms_norm_eps,
        **{key: getattr(config, key) for key in (
            "vocab_size", "hidden_size", "num_hidden_layers", "num_attention_heads", "num_key_value_heads", "intermediate_size",
            "max_position_embeddings", "bos_token_id", "eos_token_id", "pad_token_id", "tie_word_embeddings")},
        # What the yaml of v1.2 has in other sizes.
        point_backbone_config={key: BACKBONE[key] for key in ("num_group", "group_size", "num_heads")},
    )
    with open(f"{root}/config.json", "w") as file:
        json.dump(stated, file, indent=1)
    save_file(dict(cloud=cloud, tokens=tokens, projected=projected, logits=logits.contiguous()), f"{root}/expected.safetensors")
    plain = lambda text: words.encode(text, add_special_tokens=False).ids
    with open(f"{root}/expected.json", "w") as file:
        json.dump(dict(
            question=QUESTION, ids=ids, greedy=greedy, text=words.decode(greedy).strip(),
            encoded=[[text, plain(text)] for text in TEXTS], decoded=[[plain(text), words.decode(plain(text))] for text in TEXTS],
        ), file, ensure_ascii=False)
    print(len(ids), len(set(greedy)), greedy, repr(words.decode(greedy)))


if __name__ == "__main__":
    with torch.inference_mode():
        main(*sys.argv[1:])

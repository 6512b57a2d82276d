"""The same training steps in PyTorch on the CPU, with random weights and precomputed features of the frozen towers: Duoduo CLIP (ViT-B/32,
attention of the last 6 blocks trained, 4 shapes of 3 views, then 64 of 6), ULIP-2's PointBERT (18 blocks, 4 clouds of 10k colored points), `nano`
(192 images in pairs), in f32 and with bf16 autocast. Each runs in its own process, so that its peak memory can be measured."""
import json, resource, subprocess, sys, time


def report(what, plain_step, rounds=3):
    import torch

    precision = sys.argv[2]
    what = f"{what}, {precision}"

    def step():
        with torch.autocast("cpu", torch.bfloat16, enabled=precision == "bf16"):
            plain_step()

    step()
    times = []
    for _ in range(rounds):
        start = time.perf_counter()
        step()
        times.append((time.perf_counter() - start) * 1000)
    print(json.dumps({"what": what, "milliseconds": sorted(times)[rounds // 2]}))
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 // 1_000_000
    print(json.dumps({"what": f"{what}: peak memory, MB", "milliseconds": peak}), flush=True)


def contrastive(a, b, scale):
    import torch
    import torch.nn.functional as F

    logits = scale.exp() * F.normalize(a, dim=-1) @ F.normalize(b, dim=-1).T
    label = torch.arange(len(a))
    return (F.cross_entropy(logits, label) + F.cross_entropy(logits.T, label)) / 2


def duoduo(shapes=4, per_shape=3, rounds=3):
    import open_clip, torch

    visual = open_clip.create_model("ViT-B-32", pretrained=None).visual.requires_grad_(False)
    trained = [p for block in visual.transformer.resblocks[6:] for p in block.attn.requires_grad_(True).parameters()]
    scale = torch.nn.Parameter(torch.tensor(2.659))
    optimizer = torch.optim.AdamW([*trained, scale], lr=5e-5)
    views = torch.randn(shapes * per_shape, 3, 224, 224)
    image, text = torch.randn(shapes, 512), torch.randn(shapes, 512)

    def encode(x):
        x = visual.conv1(x).flatten(2).transpose(1, 2)
        cls = visual.class_embedding.expand(len(x), 1, -1)
        x = visual.ln_pre(torch.cat([cls, x], 1) + visual.positional_embedding)
        for layer, block in enumerate(visual.transformer.resblocks):
            x = x.reshape(shapes, per_shape * 50, 768) if layer >= 6 else x
            x = block(x)
        x = visual.ln_post(x.reshape(shapes, per_shape, 50, 768)[:, :, 0]).mean(1)
        return x @ visual.proj

    def step():
        optimizer.zero_grad()
        features = encode(views)
        (contrastive(features, image, scale) + contrastive(features, text, scale)).backward()
        optimizer.step()

    recomputed = ", activations recomputed" if shapes > 4 else ""
    report(f"step of Duoduo CLIP, ViT-B/32, last 6 blocks, {shapes} shapes of {per_shape} views{recomputed}", step, rounds)


def duoduo_large():
    """PyTorch keeps its activations; ours recomputes them."""
    duoduo(64, 6, 1)


def pointbert():
    import torch

    from point_encoders import PointBert

    model = PointBert().train()
    # Two learned vectors, and a projection as wide as ViT-B/32's space.
    model.token = torch.nn.Parameter(model.token.detach().clone())
    model.token_position = torch.nn.Parameter(model.token_position.detach().clone())
    model.projection = torch.nn.Parameter(torch.randn(768, 512))
    scale = torch.nn.Parameter(torch.tensor(2.659))
    optimizer = torch.optim.AdamW([*model.parameters(), scale], lr=3e-3, weight_decay=0.1)
    clouds = torch.rand(4, 10_000, 6) * 2 - 1
    image, text = torch.randn(4, 512), torch.randn(4, 512)

    def step():
        optimizer.zero_grad()
        features = model(clouds)
        (contrastive(features, image, scale) + contrastive(features, text, scale)).backward()
        optimizer.step()

    report("step of PointBERT, 18 blocks, 4 clouds of 10k colored points", step)


def nano():
    import torch
    from torch import nn

    class Tower(nn.Module):
        def __init__(self, width, layers, tokens, causal):
            super().__init__()
            self.joint = not causal
            make = lambda: nn.TransformerEncoderLayer(width, width // 32, 4 * width, 0.0, "relu", batch_first=True, norm_first=True)
            self.blocks = nn.ModuleList(make() for _ in range(layers))
            self.position = nn.Parameter(torch.randn(tokens, width) * 0.02)
            self.norm, self.out = nn.LayerNorm(width), nn.Linear(width, 128, bias=False)
            self.mask = nn.Transformer.generate_square_subsequent_mask(tokens) if causal else None

        def forward(self, x):
            x, rows = x + self.position, len(x)
            for layer, block in enumerate(self.blocks):
                if self.joint and layer == 3:
                    x = x.reshape(rows // 2, -1, x.shape[-1])
                x = block(x, src_mask=self.mask, is_causal=self.mask is not None)
            return x.reshape(rows, -1, x.shape[-1])

    class Nano(nn.Module):
        def __init__(self):
            super().__init__()
            self.patch, self.cls = nn.Linear(3 * 16 * 16, 128), nn.Parameter(torch.randn(1, 1, 128))
            self.vision, self.text = Tower(128, 4, 26, False), Tower(96, 2, 12, True)
            self.words, self.scale = nn.Embedding(2000, 96), nn.Parameter(torch.tensor(2.659))

        def images(self, x):
            x = x.reshape(-1, 3, 5, 16, 5, 16).permute(0, 2, 4, 1, 3, 5).reshape(len(x), 25, 768)
            x = self.vision(torch.cat([self.cls.expand(len(x), 1, -1), self.patch(x)], 1))
            return self.vision.out(self.vision.norm(x[:, 0]).reshape(-1, 2, 128).mean(1))

        def texts(self, ids):
            return self.text.out(self.text.norm(self.text(self.words(ids))[:, -1]))

    model = Nano()
    # As the recipe has it: Muon moves the blocks' matrices, AdamW the rest.
    blocks = [tensor for tower in (model.vision, model.text) for tensor in tower.blocks.parameters()]
    matrices = [tensor for tensor in blocks if tensor.ndim == 2]
    rest = [tensor for tensor in model.parameters() if not any(tensor is matrix for matrix in matrices)]
    optimizers = [torch.optim.Muon(matrices, lr=4e-3, adjust_lr_fn="match_rms_adamw"), torch.optim.AdamW(rest, lr=4e-3)]
    pixels, ids, nouns = torch.randn(192, 3, 80, 80), torch.randint(2000, (96, 12)), torch.randint(2000, (300, 12))
    label = torch.randint(300, (96,))

    def step():
        model.zero_grad()
        shapes = model.images(pixels)
        named = model.scale.exp() * nn.functional.normalize(shapes, dim=-1) @ nn.functional.normalize(model.texts(nouns), dim=-1).T
        (contrastive(shapes, model.texts(ids), model.scale) + nn.functional.cross_entropy(named, label)).backward()
        for optimizer in optimizers:
            optimizer.step()

    report("step of nano, 192 images", step)


if len(sys.argv) > 1:
    globals()[sys.argv[1]]()
else:
    for case in ("duoduo", "duoduo_large", "pointbert", "nano"):
        for precision in ("f32", "bf16"):
            subprocess.run([sys.executable, __file__, case, precision], check=True)

"""Plain PyTorch on the CPU: ULIP-2's colored PointBERT (10k points, 18 blocks of width 384) with random weights, whole
path: farthest points, nearest neighbors, network. Batches of 1 and 16."""
import json, time, torch
from torch import nn
import torch.nn.functional as F

torch.manual_seed(0)
POINTS, GROUPS, SIZE, WIDTH, DEPTH, HEADS = 10_000, 512, 32, 384, 18, 6


def farthest(x, count):
    rows, chosen = torch.arange(len(x)), torch.zeros(len(x), count, dtype=torch.long)
    nearest = torch.full(x.shape[:2], 1e10)
    for i in range(1, count):
        last = x[rows, chosen[:, i - 1]].unsqueeze(1)
        nearest = torch.minimum(nearest, ((x - last) ** 2).sum(-1))
        chosen[:, i] = nearest.argmax(-1)
    return chosen


def gather(x, index):
    return x[torch.arange(len(x)).view(-1, *[1] * (index.dim() - 1)), index]


def neighbors(x, centers, count):
    squares = -2 * centers @ x.transpose(1, 2)
    squares += (centers**2).sum(-1, keepdim=True)
    squares += (x**2).sum(-1).unsqueeze(1)
    return squares.topk(count, largest=False, sorted=False).indices


class Block(nn.Module):
    def __init__(self):
        super().__init__()
        self.norm1, self.norm2 = nn.LayerNorm(WIDTH), nn.LayerNorm(WIDTH)
        self.qkv, self.proj = nn.Linear(WIDTH, 3 * WIDTH, bias=False), nn.Linear(WIDTH, WIDTH)
        self.mlp = nn.Sequential(nn.Linear(WIDTH, 4 * WIDTH), nn.GELU(), nn.Linear(4 * WIDTH, WIDTH))

    def forward(self, x):
        b, n, _ = x.shape
        q, k, v = self.qkv(self.norm1(x)).view(b, n, 3, HEADS, WIDTH // HEADS).permute(2, 0, 3, 1, 4)
        x = x + self.proj(F.scaled_dot_product_attention(q, k, v).transpose(1, 2).reshape(b, n, WIDTH))
        return x + self.mlp(self.norm2(x))


class PointBert(nn.Module):
    def __init__(self):
        super().__init__()
        conv = lambda i, o: nn.Conv1d(i, o, 1)
        self.first = nn.Sequential(conv(6, 128), nn.BatchNorm1d(128), nn.ReLU(), conv(128, 256))
        self.second = nn.Sequential(conv(512, 512), nn.BatchNorm1d(512), nn.ReLU(), conv(512, 256))
        self.reduce = nn.Linear(256, WIDTH)
        self.position = nn.Sequential(nn.Linear(3, 128), nn.GELU(), nn.Linear(128, WIDTH))
        self.token, self.token_position = nn.Parameter(torch.randn(2, 1, 1, WIDTH)).unbind()
        self.blocks, self.norm = nn.ModuleList(Block() for _ in range(DEPTH)), nn.LayerNorm(WIDTH)
        self.projection = nn.Parameter(torch.randn(2 * WIDTH, 1280))

    def tokens(self, groups):
        x = groups.flatten(0, 1).transpose(1, 2)
        x = self.first(x)
        x = torch.cat([x.amax(2, keepdim=True).expand_as(x), x], 1)
        return self.reduce(self.second(x).amax(2).view(len(groups), GROUPS, 256))

    def forward(self, cloud):
        xyz, rgb = cloud[..., :3].contiguous(), cloud[..., 3:]
        centers = gather(xyz, farthest(xyz, GROUPS))
        index = neighbors(xyz, centers, SIZE)
        groups = torch.cat([gather(xyz, index) - centers.unsqueeze(2), gather(rgb, index)], -1)
        rows = len(cloud)
        x = torch.cat([self.token.expand(rows, 1, WIDTH), self.tokens(groups)], 1)
        position = torch.cat([self.token_position.expand(rows, 1, WIDTH), self.position(centers)], 1)
        for block in self.blocks:
            x = block(x + position)
        x = self.norm(x)
        return torch.cat([x[:, 0], x[:, 1:].amax(1)], -1) @ self.projection


def measure(what, run, repeats):
    run()
    times = []
    for _ in range(repeats):
        start = time.perf_counter()
        run()
        times.append((time.perf_counter() - start) * 1000)
    print(json.dumps({"what": what, "milliseconds": sorted(times)[len(times) // 2]}))


model = PointBert().eval()
with torch.inference_mode():
    for batch, repeats in [(1, 5), (16, 1)]:
        clouds = torch.rand(batch, POINTS, 6) * 2 - 1
        measure(f"PointBERT, 10k colored points, batch {batch}", lambda: model(clouds), repeats)

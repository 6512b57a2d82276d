"""PyTorch on the CPU with random weights, from cloud to features: farthest point sampling, neighbor search, network. ULIP-2's colored PointBERT (10k
points, 18 blocks of width 384), PointMLP (1024 points), PointNeXt-S (8192 points). Batches of 1 and 16."""
import torch
from torch import nn
import torch.nn.functional as F

from measure import measure

torch.manual_seed(0)
POINTS, GROUPS, SIZE, WIDTH, DEPTH, HEADS = 10_000, 512, 32, 384, 18, 6


def farthest_point_sample(x, count):
    rows, chosen = torch.arange(len(x)), torch.zeros(len(x), count, dtype=torch.long)
    nearest = torch.full(x.shape[:2], 1e10)
    for i in range(1, count):
        last = x[rows, chosen[:, i - 1]].unsqueeze(1)
        nearest = torch.minimum(nearest, ((x - last) ** 2).sum(-1))
        chosen[:, i] = nearest.argmax(-1)
    return chosen


def gather(x, index):
    return x[torch.arange(len(x)).view(-1, *[1] * (index.dim() - 1)), index]


def knn(x, centers, count):
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
        centers = gather(xyz, farthest_point_sample(xyz, GROUPS))
        index = knn(xyz, centers, SIZE)
        groups = torch.cat([gather(xyz, index) - centers.unsqueeze(2), gather(rgb, index)], -1)
        rows = len(cloud)
        x = torch.cat([self.token.expand(rows, 1, WIDTH), self.tokens(groups)], 1)
        position = torch.cat([self.token_position.expand(rows, 1, WIDTH), self.position(centers)], 1)
        for block in self.blocks:
            x = block(x + position)
        x = self.norm(x)
        return torch.cat([x[:, 0], x[:, 1:].amax(1)], -1) @ self.projection


def ball_query(x, centers, radius, count):
    """The first points within the radius, in the order of the list, filled up with the first."""
    def one(x, centers):
        inside = torch.cdist(centers, x) < radius
        index = torch.arange(len(x), dtype=torch.int32).expand_as(inside).masked_fill(~inside, len(x))
        index = index.topk(count, largest=False, sorted=True).values.long()
        return torch.where(index == len(x), index[..., :1], index).clamp(max=len(x) - 1)

    # Cloud by cloud: all pairs of a batch would take gigabytes.
    return torch.stack([one(*pair) for pair in zip(x, centers)])


def conv(i, o, bias=False):
    return nn.Sequential(nn.Conv1d(i, o, 1, bias=bias), nn.BatchNorm1d(o))


class Residual(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.net1, self.net2 = conv(width, width), conv(width, width)

    def forward(self, x):
        return F.relu(x + self.net2(F.relu(self.net1(x))))


class PointMlp(nn.Module):
    def __init__(self):
        super().__init__()
        self.embedding, widths = conv(3, 64), [64, 128, 256, 512, 1024]
        self.alpha = nn.ParameterList(torch.ones(1, 1, 1, w) for w in widths[:4])
        self.beta = nn.ParameterList(torch.zeros(1, 1, 1, w) for w in widths[:4])
        self.transfer = nn.ModuleList(conv(2 * w, 2 * w) for w in widths[:4])
        pair = lambda w: nn.Sequential(Residual(w), Residual(w))
        self.before = nn.ModuleList(pair(w) for w in widths[1:])
        self.after = nn.ModuleList(pair(w) for w in widths[1:])
        dense = lambda i, o: [nn.Linear(i, o), nn.BatchNorm1d(o), nn.ReLU()]
        self.head = nn.Sequential(*dense(1024, 512), *dense(512, 256))

    def forward(self, xyz):
        x = F.relu(self.embedding(xyz.transpose(1, 2))).transpose(1, 2)
        for stage, anchors in enumerate([512, 256, 128, 64]):
            chosen = farthest_point_sample(xyz, anchors)
            centers, anchor = gather(xyz, chosen), gather(x, chosen).unsqueeze(2)
            around = gather(x, knn(xyz, centers, 24)) - anchor
            around = around / (around.flatten(1).std(1).view(-1, 1, 1, 1) + 1e-5)
            around = self.alpha[stage] * around + self.beta[stage]
            x = torch.cat([around, anchor.expand_as(around)], -1)
            rows, _, size, width = x.shape
            x = x.flatten(0, 1).transpose(1, 2)
            x = self.before[stage](F.relu(self.transfer[stage](x))).amax(2)
            x = self.after[stage](x.view(rows, anchors, width).transpose(1, 2)).transpose(1, 2)
            xyz = centers
        return self.head(x.amax(1))


class PointNext(nn.Module):
    def __init__(self):
        super().__init__()
        self.embedding, widths = nn.Conv1d(4, 32, 1), [32, 64, 128, 256]
        self.skip = nn.ModuleList(nn.Conv1d(w, 2 * w, 1) for w in widths)
        self.inner = nn.ModuleList(conv(w + 3, w) for w in widths)
        self.outer = nn.ModuleList(conv(w, 2 * w) for w in widths)
        self.last = nn.Sequential(conv(515, 512), nn.ReLU(), conv(512, 512), nn.ReLU())
        dense = lambda i, o: [nn.Linear(i, o, bias=False), nn.BatchNorm1d(o), nn.ReLU()]
        self.head = nn.Sequential(*dense(512, 512), *dense(512, 256))

    def forward(self, xyz):
        height = xyz[..., 1:2] - xyz[..., 1:2].amin(1, keepdim=True)
        x, radius = self.embedding(torch.cat([xyz, height], -1).transpose(1, 2)), 0.15
        for skip, inner, outer in zip(self.skip, self.inner, self.outer):
            chosen = farthest_point_sample(xyz, xyz.shape[1] // 2)
            centers, features = gather(xyz, chosen), x.transpose(1, 2)
            index = ball_query(xyz, centers, radius, 32)
            offsets = (gather(xyz, index) - centers.unsqueeze(2)) / radius
            group = torch.cat([offsets, gather(features, index)], -1)
            rows, groups = group.shape[:2]
            group = outer(F.relu(inner(group.flatten(0, 1).transpose(1, 2)))).amax(2)
            group = group.view(rows, groups, -1).transpose(1, 2)
            x = F.relu(group + skip(gather(features, chosen).transpose(1, 2)))
            xyz, radius = centers, radius * 1.5
        return self.head(self.last(torch.cat([xyz.transpose(1, 2), x], 1)).amax(2))


if __name__ == "__main__":
    model = PointBert().eval()
    with torch.inference_mode():
        for batch, repeats in [(1, 5), (16, 1)]:
            clouds = torch.rand(batch, POINTS, 6) * 2 - 1
            measure(f"PointBERT, 10k colored points, batch {batch}, f32", lambda: model.float()(clouds), repeats)
            # Coordinates stay in f32: groups are found with them.
            with torch.autocast("cpu", torch.bfloat16):
                measure(f"PointBERT, 10k colored points, batch {batch}, bf16", lambda: model(clouds), repeats)
        for name, points, encoder in [("PointMLP", 1024, PointMlp()), ("PointNeXt-S", 8192, PointNext())]:
            encoder.eval()
            for batch, repeats in [(1, 5), (16, 1)]:
                clouds = torch.rand(batch, points, 3) * 2 - 1
                measure(f"{name}, {points} points, batch {batch}", lambda: encoder(clouds), repeats)

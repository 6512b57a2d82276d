"""A training loop of torch over a data set of Lexiform: ``python torch_loop.py DATASET``."""

import sys
from typing import Any

import torch

import lexiform


def main(path: str) -> None:
    dataset = lexiform.data.Dataset(path, split="train", views=4, points=1024)
    classes = sorted({label for label in dataset.labels if label})
    teacher = lexiform.load("nano")
    targets = torch.from_numpy(teacher.encode_text([f"a {label}" for label in classes]))
    encoder = torch.nn.Sequential(torch.nn.Linear(6, 256), torch.nn.ReLU(), torch.nn.Linear(256, teacher.dim))
    optimizer = torch.optim.AdamW(encoder.parameters(), lr=1e-3)
    loader: Any = torch.utils.data.DataLoader(dataset, batch_size=16, shuffle=True, num_workers=2)
    loss = torch.zeros(())
    for epoch in range(3):
        dataset.epoch = epoch
        for batch in loader:
            rows = torch.nn.functional.normalize(encoder(batch["points"]).amax(dim=1), dim=-1)
            labels = torch.tensor([classes.index(label) for label in batch["label"]])
            loss = torch.nn.functional.cross_entropy(rows @ targets.T / 0.07, labels)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
        print(f"epoch {epoch}: loss {loss.item():.3f}")


if __name__ == "__main__":
    main(sys.argv[1])

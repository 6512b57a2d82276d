"""Three steps of torch.optim.SGD with and without Nesterov momentum: fixtures/training/sgd.json.

    python xtask/peers/sgd.py > fixtures/training/sgd.json
"""

import json

import torch

torch.manual_seed(0)
values = {"matrix": torch.randn(3, 4), "vector": torch.randn(4)}
gradients = [{name: torch.randn_like(value) for name, value in values.items()} for _ in range(3)]
flat = lambda tensors: {name: tensor.flatten().tolist() for name, tensor in tensors.items()}
found = {"start": flat(values), "gradients": [flat(step) for step in gradients], "runs": []}
for nesterov in [False, True]:
    parameters = {name: value.clone().requires_grad_() for name, value in values.items()}
    optimizer = torch.optim.SGD(parameters.values(), lr=0.1, momentum=0.9, weight_decay=0.02, nesterov=nesterov)
    steps = []
    for step in gradients:
        for name, parameter in parameters.items():
            parameter.grad = step[name].clone()
        optimizer.step()
        steps.append(flat({name: parameter.detach() for name, parameter in parameters.items()}))
    found["runs"].append({"nesterov": nesterov, "weights": steps})
print(json.dumps(found))

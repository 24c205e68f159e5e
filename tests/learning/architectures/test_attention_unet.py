import torch

from beamforge.learning import NetworkConfig
from beamforge.learning.u_shape import AttentionGate
from contracts.architecture import ArchitectureContract


class TestAttentionUNetContract(ArchitectureContract):
    examples = [NetworkConfig(architecture="attention_unet", options={"width": 4, "depth": 3})]


def test_the_gate_is_the_formula_of_the_paper() -> None:
    gate = AttentionGate(4, 6).double().eval()
    skip, asked = torch.randn(1, 4, 5, 7, dtype=torch.double), torch.randn(1, 6, 5, 7, dtype=torch.double)
    found = gate(skip, asked)
    weights = gate.state_dict()
    # Normalisation in evaluation mode, before any training, divides by sqrt(1 + eps).
    scale = 1 / (1 + 1e-5) ** 0.5
    for y, x in ((0, 0), (4, 6), (2, 3)):
        inner = weights["of_skip.0.weight"][:, :, 0, 0] @ skip[0, :, y, x] * scale
        inner = inner + weights["of_gate.0.weight"][:, :, 0, 0] @ asked[0, :, y, x] * scale
        alpha = torch.sigmoid(weights["weight.0.weight"][0, :, 0, 0] @ inner.clamp(min=0) + weights["weight.0.bias"][0])
        torch.testing.assert_close(found[0, :, y, x], alpha * skip[0, :, y, x])

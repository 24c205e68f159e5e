from beamforge.learning import NetworkConfig
from contracts.architecture import ArchitectureContract


class TestFPNContract(ArchitectureContract):
    examples = [NetworkConfig(architecture="fpn", encoder="resnet18")]

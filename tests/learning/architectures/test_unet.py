from beamforge.learning import NetworkConfig
from contracts.architecture import ArchitectureContract


class TestUNetContract(ArchitectureContract):
    examples = [NetworkConfig(architecture="unet", encoder="resnet18")]

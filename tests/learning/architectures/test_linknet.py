from beamforge.learning import NetworkConfig
from contracts.architecture import ArchitectureContract


class TestLinkNetContract(ArchitectureContract):
    examples = [NetworkConfig(architecture="linknet", encoder="resnet18")]

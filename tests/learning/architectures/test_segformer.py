from beamforge.learning import NetworkConfig
from contracts.architecture import ArchitectureContract


class TestSegFormerContract(ArchitectureContract):
    examples = [NetworkConfig(architecture="segformer")]

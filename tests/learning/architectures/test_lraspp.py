from beamforge.learning import NetworkConfig
from contracts.architecture import ArchitectureContract


class TestLRASPPContract(ArchitectureContract):
    examples = [NetworkConfig(architecture="lraspp_mobilenet_v3_large")]

from beamforge.learning import NetworkConfig
from contracts.architecture import ArchitectureContract


class TestFCNResNetContract(ArchitectureContract):
    examples = [NetworkConfig(architecture="fcn_resnet50")]

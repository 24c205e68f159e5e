from beamforge.learning import NetworkConfig
from contracts.architecture import ArchitectureContract


class TestMANetContract(ArchitectureContract):
    examples = [NetworkConfig(architecture="manet", encoder="resnet18", options={"encoder_depth": 4})]

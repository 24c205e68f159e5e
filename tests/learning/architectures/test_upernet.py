from beamforge.learning import NetworkConfig
from contracts.architecture import ArchitectureContract


class TestUPerNetContract(ArchitectureContract):
    examples = [NetworkConfig(architecture="upernet", encoder="resnet18", options={"decoder_channels": 64})]

from beamforge.learning import NetworkConfig
from contracts.architecture import ArchitectureContract


class TestPSPNetContract(ArchitectureContract):
    examples = [
        NetworkConfig(architecture="pspnet", encoder="resnet18"),
        NetworkConfig(architecture="pspnet", encoder="resnet18", options={"encoder_depth": 4}),
    ]

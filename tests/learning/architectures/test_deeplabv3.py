from beamforge.learning import NetworkConfig
from contracts.architecture import ArchitectureContract


class TestDeepLabV3Contract(ArchitectureContract):
    examples = [
        NetworkConfig(architecture="deeplabv3", encoder="resnet18", options={"decoder_atrous_rates": [3, 6, 9]})
    ]

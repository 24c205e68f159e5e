from beamforge.learning import NetworkConfig
from contracts.architecture import ArchitectureContract


class TestDeepLabV3TorchvisionContract(ArchitectureContract):
    examples = [
        NetworkConfig(architecture="deeplabv3_resnet50"),
        NetworkConfig(architecture="deeplabv3_mobilenet_v3_large"),
    ]

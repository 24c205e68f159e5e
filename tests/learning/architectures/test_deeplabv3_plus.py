from beamforge.learning import NetworkConfig
from contracts.architecture import ArchitectureContract


class TestDeepLabV3PlusContract(ArchitectureContract):
    examples = [NetworkConfig(architecture="deeplabv3+", encoder="tu-resnet18")]

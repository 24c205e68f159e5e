from beamforge.learning import NetworkConfig
from contracts.architecture import ArchitectureContract


class TestUNetPlusPlusContract(ArchitectureContract):
    examples = [NetworkConfig(architecture="unet++", encoder="resnet18", options={"encoder_depth": 3})]

"""The five techniques of Salimans et al. (2016; arXiv:1606.03498), of their family and of others."""

from pydantic import Field

from centigan.settings.frozen import Count, Frozen


class Techniques(Frozen):
    """Each is a switch, and off."""

    feature_matching: bool = Field(
        False, description="G matches the means of D's last maps; else it moves by D's judgement"
    )
    minibatch_kernels: int = Field(0, ge=0, description="of minibatch discrimination; 0: none, theirs: 100")
    minibatch_dimensions: Count = Field(5, description="of each kernel")
    historical_averaging: float = Field(0.0, ge=0, description="weight of |theta - mean of the past|^2")
    smoothing: float = Field(
        0.0, ge=0, lt=0.5, description="what real images' label 1 is lowered by; their paper: 0.1"
    )
    virtual_batch_norm: int = Field(
        0, ge=0, description="latents in the reference batch of G; 0: batch norm instead"
    )

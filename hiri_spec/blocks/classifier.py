"""Classifier head: norm, global average pooling, linear layer."""

from typing import Literal, Self

from pydantic import Field, model_validator

from ..block import Head, register, reject
from ..feature_map import FeatureMap


@register
class Classifier(Head):
    """Norm, global average pooling, dropout, linear; `pool_first` pools before the norm."""

    head: Literal["classifier"] = "classifier"
    norm: Literal["batch", "layer", "none"] = Field(
        "batch", description="Normalisation: over the batch, over each position's channels, or none."
    )
    pool_first: bool = Field(False, description="Pool before the norm, a layer norm, instead of after it.")
    drop_rate: float = Field(0, ge=0, lt=1, description="Dropout before the linear layer.")

    @model_validator(mode="after")
    def check_norm(self) -> Self:
        if self.pool_first and self.norm != "layer":
            reject("pool_first", "needs_layer_norm", f"needs norm: layer, not {self.norm}; change one of the two")
        return self

    def wire(self, x: FeatureMap) -> FeatureMap:
        if self.pool_first:
            x = x.global_pool(name="pool").norm(self.norm, eps=1e-5, name="norm")
        else:
            x = x if self.norm == "none" else x.norm(self.norm, eps=1e-5, name="norm")
            x = x.global_pool(name="pool")
        if self.drop_rate:
            x = x.dropout(name="dropout")
        return x.linear(self.classes, name="fc")

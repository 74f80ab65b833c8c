"""Detection and segmentation: backbones under the heads of other libraries. Importing it loads no torch."""

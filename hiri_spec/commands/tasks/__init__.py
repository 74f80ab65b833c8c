"""`hiri-spec tasks …`: detection and segmentation."""

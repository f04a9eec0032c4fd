"""Speed and memory, each beside a bare alternative measured in the same run: the ratios carry to other machines."""

"""The `fizzbridge` command: for those who connect accounts, watch, repair and replay."""

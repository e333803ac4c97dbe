"""One job played as processes of this machine, in the layout of GitHub's runner."""

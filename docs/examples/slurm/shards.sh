#!/bin/sh
# Submits a run in shards, and a last job that merges and decides:
#   sh shards.sh 16 suites/release.toml ./checkpoints/release-candidate
# The folder must be shared; each ledger is on the node's own disk while it is written.
set -eu
count=$1 suite=$2 model=$3
mkdir -p shards
array=$(sbatch --parsable --array="1-$count" --job-name=robustness --output=shards/%a.log <<EOF
#!/bin/sh
set -eu
here=\${TMPDIR:-/tmp}/coderobust-\$SLURM_JOB_ID.sqlite
cp "shards/\$SLURM_ARRAY_TASK_ID.sqlite" "\$here" 2>/dev/null || true
status=0
pytest "$suite" --model "$model" --coderobust-shard="\$SLURM_ARRAY_TASK_ID/$count" \
    --coderobust-ledger="\$here" || status=\$?
cp "\$here" "shards/\$SLURM_ARRAY_TASK_ID.sqlite"
exit \$status
EOF
)
sbatch --dependency="afterok:$array" --job-name=robustness-gate --output=shards/gate.log --wait <<EOF
#!/bin/sh
set -eu
coderobust merge robustness.sqlite shards/*.sqlite
coderobust gate robustness.sqlite --suite "$suite" --html robustness.html
EOF

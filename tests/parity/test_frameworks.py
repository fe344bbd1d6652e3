"""Scripts in the images of PyTorch, TensorFlow and Hugging Face: real models learn, and are saved."""

from __future__ import annotations

import io
import json
import re
import textwrap
import zipfile

import pytest
from botocore.exceptions import ClientError
from parity_lab import BUCKET, Lab

REGISTRY = "763104351884.dkr.ecr.us-east-1.amazonaws.com"
PYTORCH = f"{REGISTRY}/pytorch-training:2.8.0-cpu-py312"
TENSORFLOW = f"{REGISTRY}/tensorflow-training:{{}}"
HUGGING_FACE = f"{REGISTRY}/huggingface-pytorch-training:2.8.0-transformers4.56.2-gpu-py312-cu129-ubuntu22.04"

HUGGING_FACE_INFERENCE = f"{REGISTRY}/huggingface-pytorch-inference:2.6.0-transformers4.51.3-cpu-py312-ubuntu22.04"

TORCH = """
    import argparse, json, os, pathlib
    import numpy, torch
    from sklearn.datasets import load_digits
    from torch import nn
    from torch.utils.data import DataLoader, TensorDataset

    def network():
        return nn.Sequential(nn.Linear(64, 32), nn.ReLU(), nn.Linear(32, 10))

    def model_fn(folder):
        model = network()
        model.load_state_dict(torch.load(pathlib.Path(folder) / "model.pth", weights_only=True))
        return model.eval()

    def predict_fn(data, model):
        with torch.no_grad():
            return model(torch.tensor(data, dtype=torch.float32)).argmax(1).numpy()

    def main():
        parser = argparse.ArgumentParser()
        parser.add_argument("--epochs", type=int)
        arguments = parser.parse_args()
        torch.manual_seed(0)
        digits = load_digits()
        rows = TensorDataset(torch.tensor(digits.data / 16, dtype=torch.float32), torch.tensor(digits.target))
        model = network()
        optimiser = torch.optim.Adam(model.parameters(), lr=0.01)
        for epoch in range(arguments.epochs):
            for features, labels in DataLoader(rows, batch_size=64, shuffle=True):
                optimiser.zero_grad()
                loss = nn.functional.cross_entropy(model(features), labels)
                loss.backward()
                optimiser.step()
            print(f"epoch={epoch}; loss={loss.item():.4f}", flush=True)
        folder = pathlib.Path(os.environ["SM_MODEL_DIR"])
        torch.save(model.state_dict(), folder / "model.pth")
        some = numpy.column_stack([digits.target[:100], digits.data[:100] / 16])
        numpy.savetxt(folder / "digits.csv", some, delimiter=",", fmt="%g")

    if __name__ == "__main__":
        main()
    """

KERAS = """
    import argparse, os
    import keras, tensorflow
    from sklearn.datasets import load_digits

    parser = argparse.ArgumentParser()
    parser.add_argument("--epochs", type=int)
    parser.add_argument("--model_dir")
    arguments = parser.parse_args()
    keras.utils.set_random_seed(0)
    digits = load_digits()
    model = keras.Sequential([keras.Input((64,)), keras.layers.Dense(32, "relu"), keras.layers.Dense(10, "softmax")])
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    told = keras.callbacks.LambdaCallback(on_epoch_end=lambda epoch, logs: print(f"epoch={epoch}; loss={logs['loss']}"))
    model.fit(digits.data / 16, digits.target, epochs=arguments.epochs, verbose=0, callbacks=[told])
    print("TensorFlow", tensorflow.__version__)
    model.export(os.path.join(os.environ["SM_MODEL_DIR"], "1"), verbose=False)
    """

BERT = """
    import argparse, os, pathlib
    from datasets import Dataset
    from transformers import DistilBertConfig, DistilBertForSequenceClassification, DistilBertTokenizerFast
    from transformers import Trainer, TrainingArguments, set_seed

    parser = argparse.ArgumentParser()
    parser.add_argument("--epochs", type=float)
    arguments = parser.parse_args()
    set_seed(0)
    sentences = ["a good film", "a great play", "good acting", "a bad film", "a dull play", "bad acting"] * 32
    known = sorted({word for sentence in sentences for word in sentence.split()})
    words = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *known]
    pathlib.Path("/tmp/vocabulary").write_text("\\n".join(words))
    tokenizer = DistilBertTokenizerFast(vocab_file="/tmp/vocabulary")
    rows = Dataset.from_dict({"text": sentences, "label": [1, 1, 1, 0, 0, 0] * 32})
    rows = rows.map(lambda row: tokenizer(row["text"], padding="max_length", max_length=6), batched=True)
    config = DistilBertConfig(vocab_size=len(words), dim=32, hidden_dim=64, n_layers=2, n_heads=2)
    trainer = Trainer(
        model=DistilBertForSequenceClassification(config),
        args=TrainingArguments(
            output_dir="/tmp/trainer", num_train_epochs=arguments.epochs, learning_rate=3e-3, logging_strategy="epoch",
            per_device_train_batch_size=16, save_strategy="no", report_to="none", disable_tqdm=True,
        ),
        train_dataset=rows,
        processing_class=tokenizer,
    )
    trainer.train()
    for entry in trainer.state.log_history:
        if "loss" in entry:
            print(f"epoch={entry['epoch']}; loss={entry['loss']}")
    trainer.save_model(os.environ["SM_MODEL_DIR"])
    """


def losses(lab: Lab, name: str) -> list[float]:
    return [float(value) for value in re.findall(r"epoch=\S+; loss=(\S+)", lab.log_of(name))]


@pytest.mark.slow("images")
@pytest.mark.timeout(900)
def test_pytorch_learns_and_answers(lab: Lab) -> None:
    lab.start_script("pytorch", TORCH, PYTORCH, hyperparameters={"epochs": 8})
    job = lab.completed("pytorch", 600)
    log = lab.log_of("pytorch")
    assert "PyTorch 2.13.0 on Python 3.11 instead of the official image's versions." in log.splitlines()[0]
    fall = losses(lab, "pytorch")
    assert len(fall) == 8 and fall[-1] < fall[0] / 3, fall
    model = job["ModelArtifacts"]["S3ModelArtifacts"]
    assert zipfile.is_zipfile(io.BytesIO(lab.archive(model)["model.pth"]))

    code = lab.script(TORCH)
    image = PYTORCH.replace("training:2.8.0", "inference:2.6.0")
    variables = {"SAGEMAKER_PROGRAM": "train.py", "SAGEMAKER_SUBMIT_DIRECTORY": code}
    lab.deploy("pytorch", model, image, Environment=variables)
    digits = [row.split(",") for row in lab.archive(model)["digits.csv"].decode().splitlines()]
    rows = "\n".join(",".join(row[1:]) for row in digits)
    answers = lab.invoke("pytorch", rows, Accept="text/csv").decode().split()
    right = sum(float(answer) == float(row[0]) for answer, row in zip(answers, digits, strict=True))
    assert right > 90, right


@pytest.mark.slow("images")
@pytest.mark.timeout(900)
@pytest.mark.parametrize(("tag", "version"), [("2.19.0-cpu-py312", "2.19.0"), ("2.18.0-cpu-py310", "2.18.0")])
def test_tensorflow_learns(lab: Lab, tag: str, version: str) -> None:
    name = f"tensorflow-{version.replace('.', '-')}"
    lab.start_script(name, KERAS, TENSORFLOW.format(tag), hyperparameters={"epochs": 8})
    job = lab.completed(name, 600)
    assert f"TensorFlow {version}" in lab.log_of(name)
    fall = losses(lab, name)
    assert len(fall) == 8 and fall[-1] < fall[0] / 2, fall
    assert "1/saved_model.pb" in lab.archive(job["ModelArtifacts"]["S3ModelArtifacts"])


@pytest.mark.slow("images")
@pytest.mark.timeout(900)
def test_transformers_learn(lab: Lab) -> None:
    lab.start_script("transformers", BERT, HUGGING_FACE, hyperparameters={"epochs": 6})
    job = lab.completed("transformers", 600)
    fall = losses(lab, "transformers")
    assert len(fall) == 6 and fall[-1] < fall[0] / 2, fall
    model = job["ModelArtifacts"]["S3ModelArtifacts"]
    assert {"config.json", "model.safetensors", "tokenizer.json"} <= lab.archive(model).keys()

    # Without a script it is served as a pipeline of the task that its architecture tells.
    lab.deploy("transformers", model, HUGGING_FACE_INFERENCE)
    texts = ["a good film", "a bad film"]
    found = json.loads(lab.invoke("transformers", json.dumps({"inputs": texts}), "application/json"))
    assert [set(each) for each in found] == [{"label", "score"}] * 2
    assert found[0]["label"] == "LABEL_1" and found[1]["label"] == "LABEL_0"
    every = json.dumps({"inputs": texts[0], "parameters": {"top_k": None}})
    scores = json.loads(lab.invoke("transformers", every, "application/json"))
    assert sum(each["score"] for each in scores) == pytest.approx(1, abs=1e-3)
    table = "\n".join(["inputs", *texts])
    lines = lab.invoke("transformers", table, "text/csv", Accept="text/csv").decode().splitlines()
    assert lines[0] == "label,score"
    assert [line.split(",")[0] for line in lines[1:]] == ["LABEL_1", "LABEL_0"]
    for body, kind, status in (("{", "application/json", 400), ("1,2", "text/csv", 400), ("x", "text/xml", 415)):
        assert refusal(lab, "transformers", body, kind) == status


def refusal(lab: Lab, name: str, body: str, kind: str) -> int:
    """The status with which the container refuses a request."""
    with pytest.raises(ClientError) as caught:
        lab.invoke(name, body, kind)
    assert caught.value.response["Error"]["Code"] == "ModelError"
    return int(caught.value.response["OriginalStatusCode"])


SCRIPTED = """
    import os, pathlib, torch
    model = torch.nn.Linear(2, 1)
    with torch.no_grad():
        model.weight.copy_(torch.tensor([[1.0, -1.0]]))
        model.bias.zero_()
    torch.jit.script(model).save(str(pathlib.Path(os.environ["SM_MODEL_DIR"]) / "linear.pt"))
    """


@pytest.mark.slow("images")
@pytest.mark.timeout(900)
def test_a_scripted_model_of_pytorch_needs_no_code(lab: Lab) -> None:
    lab.start_script("scripted", SCRIPTED, PYTORCH)
    model = lab.completed("scripted", 600)["ModelArtifacts"]["S3ModelArtifacts"]
    lab.deploy("scripted", model, PYTORCH.replace("training:2.8.0", "inference:2.6.0"))
    assert json.loads(lab.invoke("scripted", "[[3, 1], [1, 2]]", "application/json")) == [[2.0], [-1.0]]
    assert lab.invoke("scripted", "3,1\n1,2", Accept="text/csv").decode().split() == ["2.0", "-1.0"]


TOGETHER = """
    import os, torch
    import torch.distributed

    torch.manual_seed(0)
    torch.distributed.init_process_group("gloo")
    rank, world = torch.distributed.get_rank(), torch.distributed.get_world_size()
    model = torch.nn.parallel.DistributedDataParallel(torch.nn.Linear(4, 1))
    optimiser = torch.optim.SGD(model.parameters(), lr=0.1)
    generator = torch.Generator().manual_seed(rank)
    truth = torch.tensor([[1.0], [-2.0], [3.0], [0.5]])
    for epoch in range(60):
        rows = torch.randn(32, 4, generator=generator)
        loss = torch.nn.functional.mse_loss(model(rows), rows @ truth)
        optimiser.zero_grad()
        loss.backward()  # the gradients of all hosts are averaged here
        optimiser.step()
    print(f"rank={rank} of {world}; loss={loss.item():.5f}; weight={model.module.weight[0, 0].item():.6f}", flush=True)
    if rank == 0:
        torch.save(model.module.state_dict(), os.path.join(os.environ["SM_MODEL_DIR"], "model.pth"))
    torch.distributed.destroy_process_group()
    """


@pytest.mark.slow("images")
@pytest.mark.timeout(900)
def test_hosts_train_one_model(lab: Lab) -> None:
    """PyTorch on three hosts, through ``torchrun``; every host ends with the same weights."""
    name = "ddp"
    lab.start_script(
        name,
        TOGETHER,
        PYTORCH,
        hyperparameters={"sagemaker_torch_distributed_enabled": True},
        ResourceConfig={"InstanceType": "ml.m5.large", "InstanceCount": 3, "VolumeSizeInGB": 5},
    )
    job = lab.completed(name, 600)
    assert "model.pth" in lab.archive(job["ModelArtifacts"]["S3ModelArtifacts"])
    found = re.findall(r"rank=(\d) of 3; loss=([\d.]+); weight=([\d.]+)", lab.log_of(name))
    assert sorted(rank for rank, _, _ in found) == ["0", "1", "2"], lab.log_of(name)
    assert len({weight for _, _, weight in found}) == 1 and all(float(loss) < 0.01 for _, loss, _ in found), found


WORKERS = """
    import json, os
    import numpy, tensorflow

    strategy = tensorflow.distribute.MultiWorkerMirroredStrategy()
    with strategy.scope():
        weights = tensorflow.Variable(tensorflow.zeros([4, 1]))
    truth = tensorflow.constant([[1.0], [-2.0], [3.0], [0.5]])
    index = json.loads(os.environ["TF_CONFIG"])["task"]["index"]
    rows = tensorflow.constant(numpy.random.default_rng(index).normal(size=(64, 4)), tensorflow.float32)

    @tensorflow.function
    def step():
        def own():
            context = tensorflow.distribute.get_replica_context()
            with tensorflow.GradientTape() as tape:
                loss = tensorflow.reduce_mean((rows @ weights - rows @ truth) ** 2)
            gradient = context.all_reduce("mean", tape.gradient(loss, weights))
            weights.assign_sub(0.1 * gradient)
            return loss
        return strategy.reduce("mean", strategy.run(own), axis=None)

    for _ in range(60):
        loss = step()
    print(f"worker={index} of {strategy.num_replicas_in_sync}; weight={weights.numpy()[0, 0]:.6f}", flush=True)
    """


@pytest.mark.slow("images")
@pytest.mark.timeout(900)
def test_workers_of_tensorflow_train_one_model(lab: Lab) -> None:
    name = "workers"
    lab.start_script(
        name,
        WORKERS,
        TENSORFLOW.format("2.19.0-cpu-py312-ubuntu22.04-sagemaker"),
        hyperparameters={"sagemaker_multi_worker_mirrored_strategy_enabled": True},
        ResourceConfig={"InstanceType": "ml.m5.large", "InstanceCount": 2, "VolumeSizeInGB": 5},
    )
    lab.completed(name, 600)
    found = re.findall(r"worker=(\d) of 2; weight=([\d.]+)", lab.log_of(name))
    assert sorted(worker for worker, _ in found) == ["0", "1"], lab.log_of(name)
    assert len({weight for _, weight in found}) == 1 and abs(float(found[0][1]) - 1) < 0.1, found


TOOLKIT = """
    import json, os, pathlib
    from sagemaker_training import environment

    assert environment.Environment().hyperparameters == {"depth": 3}, os.environ["SM_HPS"]
    pathlib.Path(os.environ["SM_MODEL_DIR"], "depth.txt").write_text(os.environ["SM_HP_DEPTH"])
    print("channels", json.loads(os.environ["SM_CHANNELS"]), "on", os.environ["SM_CURRENT_HOST"])
    """


@pytest.mark.slow("images")
@pytest.mark.timeout(900)
def test_the_toolkit_of_containers_of_ones_own_is_the_entry_point(lab: Lab) -> None:
    """Its one C file is compiled in the job, with the C compiler of this machine."""
    code = lab.script(TOOLKIT)
    lab.put("toolkit/a.txt", "a")
    lab.start(
        "toolkit",
        PYTORCH,
        channels={"some": f"s3://{BUCKET}/toolkit/"},
        hyperparameters={"depth": 3, "sagemaker_program": '"train.py"', "sagemaker_submit_directory": f'"{code}"'},
        AlgorithmSpecification={
            "ContainerEntrypoint": ["/bin/sh", "-c", "pip install --quiet sagemaker-training && train"]
        },
    )
    job = lab.completed("toolkit", 600)
    assert "channels ['some'] on algo-1" in lab.log_of("toolkit")
    assert lab.archive(job["ModelArtifacts"]["S3ModelArtifacts"]) == {"depth.txt": b"3"}


@pytest.mark.slow("images")
@pytest.mark.timeout(900)
def test_processes_of_one_host_work_together(lab: Lab) -> None:
    """``torchrun`` and ``mpirun`` of the PyTorch image, as commands of one's own."""
    code = """
        import torch, torch.distributed
        torch.distributed.init_process_group("gloo")
        total = torch.tensor(float(torch.distributed.get_rank() + 1))
        torch.distributed.all_reduce(total)
        print("the total is", total.item(), flush=True)
        torch.distributed.destroy_process_group()
        """
    uri = lab.put("together/together.py", textwrap.dedent(code))
    mpi = "import mpi4py.MPI as m; print('the sum is', m.COMM_WORLD.allreduce(m.COMM_WORLD.rank + 1), flush=True)"
    command = (
        "torchrun --nproc_per_node=2 /opt/ml/input/data/code/together.py && "
        f'mpirun --allow-run-as-root --oversubscribe -np 2 python -c "{mpi}"'
    )
    lab.start(
        "together",
        PYTORCH,
        channels={"code": uri},
        AlgorithmSpecification={"ContainerEntrypoint": ["/bin/sh", "-c", command]},
    )
    lab.completed("together", 600)
    log = lab.log_of("together")
    assert log.count("the total is 3.0") == 2 and log.count("the sum is 3") == 2, log

"""What the measurements beyond the paper's own say, as tables and summary numbers.

Each function takes the rows of a metric's files and gives names and values for summary.json, or a table.
A name ends with the images it is of: `generated` beside `held_out` or `training`, the same measured of
real images, which says how good a number can be.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd

from centigan.layout import WHOLE
from centigan.metrics.confusion import K_MEANS, normalised_mutual_information
from centigan.metrics.memorisation import closer_than_held_out, duplicate_counts, scope_of
from centigan.metrics.modes import divergence_from_uniform
from centigan.settings.evaluation import NeighbourSettings

QUANTILES = {"q05": 0.05, "q25": 0.25, "median": 0.5, "q75": 0.75, "q95": 0.95}


def ms_ssim_pairs(ms_ssim: pd.DataFrame) -> pd.DataFrame:
    """One row a class and source: pairs, mean, std and quantiles of their MS-SSIM."""
    groups = ms_ssim.groupby(["class_id", "source"], sort=False)["ms_ssim"]
    table = groups.agg(pairs="size", mean="mean", std="std")
    for name, share in QUANTILES.items():
        table[name] = groups.quantile(share)
    return table.reset_index()


def inception_summary(scores: pd.DataFrame) -> dict[str, float]:
    """Mean and spread of the groups' scores: `samples` chose, `fresh` report (section 4.4)."""
    values: dict[str, float] = {}
    for images, rows in scores.groupby("set", sort=False):
        values[f"inception_score/{images}"] = rows["score"].mean()
        if len(rows) > 1:
            values[f"inception_score/{images}/std"] = rows["score"].std(ddof=0)
        values[f"inception_score/{images}/groups"] = len(rows)
        values[f"inception_score/{images}/images"] = int(rows["images"].sum())
    return values


def distribution_summary(distances: pd.DataFrame) -> dict[str, float]:
    """FID, KID, precision, recall, density, coverage."""
    values: dict[str, float] = {}
    for row in distances.to_dict("records"):
        name = f"{row['metric']}/{row['source']}"
        values[name] = row["value"]
        if pd.notna(row["std"]):
            values[f"{name}/std"] = row["std"]
    return values


def intra_class_summary(distances: pd.DataFrame) -> dict[str, float]:
    """`fid/intra_class` is the mean over classes."""
    return {
        f"fid/intra_class/{source}": rows["fid"].mean()
        for source, rows in distances.groupby("source", sort=False)
    }


def classification_summary(counts: pd.DataFrame) -> dict[str, float]:
    """Mean accuracy on held-out images of classifiers that were trained on samples and on real images."""
    share = counts.assign(share=counts["correct"] / counts["count"])
    return {f"cas/{name}": mean for name, mean in share.groupby("trained_on")["share"].mean().items()}


def neighbour_summary(neighbours: pd.DataFrame, settings: NeighbourSettings) -> dict[str, float]:
    """Duplicates, and whether samples lie closer to training images than held-out images do (Fig 7)."""
    tested = closer_than_held_out(neighbours, permutations=settings.permutations, seed=settings.seed)
    values: dict[str, float] = {f"neighbours/l1/{name}": value for name, value in tested.items()}
    sought = neighbours[(neighbours["metric"] == "ms_ssim") & (neighbours["scope"] == scope_of(neighbours))]
    by_ms_ssim = sought.groupby("source")["distance"]
    for row in duplicate_counts(neighbours, settings.duplicate_below).to_dict("records"):
        source = row["source"]
        values[f"neighbours/duplicates/{source}"] = int(row["duplicates"])
        values[f"neighbours/images/{source}"] = int(row["images"])
        values[f"neighbours/ms_ssim/median_{source}"] = by_ms_ssim.get_group(source).median()
    values["neighbours/duplicate_below"] = settings.duplicate_below
    return values


def smoothness_summary(walks: pd.DataFrame) -> dict[str, float]:
    """Largest step over the mean step, mean and worst of all walks: 1 is even (Fig 8 left)."""
    values: dict[str, float] = {}
    for path, rows in walks.groupby("path", sort=False):
        values[f"latent/{path}/largest_over_mean"] = rows["largest_over_mean"].mean()
        values[f"latent/{path}/largest_over_mean/worst"] = rows["largest_over_mean"].max()
    return values


def caption_walks_summary(walks: pd.DataFrame) -> dict[str, float]:
    """The same of walks from one caption to another."""
    steps = walks["largest_over_mean"]
    return {
        "caption_walks/largest_over_mean": steps.mean(),
        "caption_walks/largest_over_mean/worst": steps.max(),
    }


def bits_per_dim_summary(bits: pd.DataFrame) -> dict[str, float]:
    """Mean over the splits of bits per dimension, and of a Gaussian's, on held-out and on training images."""
    return _likelihoods(bits, {"bits_per_dim/{}": "bits", "bits_per_dim/{}/gaussian": "gaussian"})


def binary_nats_summary(nats: pd.DataFrame) -> dict[str, float]:
    """The same of nats of binarised images, of pixels by themselves, and of the draws themselves."""
    others = {f"binary_nats/{{}}/{name}": name for name in ("pixels", "floor")}
    return _likelihoods(nats, {"binary_nats/{}": "nats"} | others)


def _likelihoods(rows: pd.DataFrame, columns: dict[str, str]) -> dict[str, float]:
    """Of columns the mean over all held-out and over all training images, under a name for each."""
    values: dict[str, float] = {}
    of_all = rows[rows["class_id"] == WHOLE]
    for source in ("held_out", "training"):
        of_source = of_all[of_all["source"] == source]
        for name, column in columns.items():
            values[name.format(source)] = np.average(of_source[column], weights=of_source["images"])
    return values


def reconstruction_summary(images: pd.DataFrame) -> dict[str, float]:
    """Mean over held-out images of the errors, mean over splits of the ratio."""
    values = images[["mse", "psnr", "ms_ssim"]].mean().dropna().to_dict()
    values["right_over_wrong"] = images.groupby("split")["right_over_wrong"].first().mean()
    return {f"reconstruction/{name}": value for name, value in values.items()}


def codes_summary(codes: pd.DataFrame) -> dict[str, float]:
    """Share of held-out images named by the nearest code, and by pixels; distances, mean over splits."""
    of_images = codes[codes["source"] == "held_out"]
    right = {
        f"codes/{name}": (of_images[column] == of_images["class_id"]).mean()
        for name, column in (
            ("nearest", "named"),
            *((f"nearest_{by}", f"named_by_{by}") for by in ("pixels", "pca", "lda")),
        )
    }
    apart = of_images.groupby("split")[["energy", "floor"]].first().mean()
    return right | {f"codes/{name}": value for name, value in apart.items()}


def inverse_summary(ratios: pd.DataFrame) -> dict[str, float]:
    """How near E is to G's inverse, in codes and in images, mean over splits."""
    return {f"inverse/{name}": ratios[name].mean() for name in ("codes", "images")}


def code_neighbours_summary(found: pd.DataFrame) -> dict[str, float]:
    """Share of the nearest training images that are of the query's class, by each kind of features."""
    same = (found["neighbour_class"] == found["class_id"]).groupby(found["features"], sort=False).mean()
    return {f"code_neighbours/{name}": share for name, share in same.items()}


def shift_summary(distances: pd.DataFrame) -> dict[str, float]:
    """By pixels and by features: the distance of an image to its shift over that to another."""
    names = "shift/" + distances["distance"] + "/" + distances["shift"].astype(str)
    means = distances.groupby(names, sort=False)["ratio"].mean()
    return {str(name): value for name, value in means.items()}


def with_noise_summary(values: pd.DataFrame) -> dict[str, float]:
    """FID and its like of samples with the decoder's noise."""
    rows = values[["metric", "value"]].itertuples(index=False, name=None)
    return {f"with_noise/{metric}": value for metric, value in rows}


def modes_summary(modes: pd.DataFrame) -> dict[str, float]:
    """Of points: how many modes are covered, the share near one and within 3 sd, KL from uniform counts."""
    values: dict[str, float] = {"modes/number": modes["class_id"].nunique()}
    for source, rows in modes.groupby("source", sort=False):
        total = rows.drop_duplicates("split")["points"].sum()
        values[f"modes/covered/{source}"] = int((rows["near"] >= rows["least"] * rows["points"]).sum())
        values[f"modes/near/{source}"] = rows["near"].sum() / total
        values[f"modes/within_sd/{source}"] = rows["within_sd"].sum() / total
        if rows["near"].any():
            values[f"modes/kl/{source}"] = divergence_from_uniform(rows["near"].to_numpy())
    return values


def energy_summary(distances: pd.DataFrame) -> dict[str, float]:
    """Of points: energy distance, precision, recall, of samples and of held-out points."""
    rows = distances[["metric", "source", "value"]].itertuples(index=False, name=None)
    return {f"points/{metric}/{source}": value for metric, source, value in rows}


def density_summary(nats: pd.DataFrame) -> dict[str, float]:
    """Mean log density of held-out and training points, and of held-out ones under one Gaussian."""
    means = nats[nats["kind"] != "field"].groupby("kind", sort=False)["value"].mean()
    return {f"points/log_density/{kind}": value for kind, value in means.items()}


def class_output_summary(answers: pd.DataFrame) -> dict[str, float]:
    """Share of held-out images named rightly, mean over classes: by the model, by the classifier."""
    counts = answers.groupby(["named_by", "class_id"])[["correct", "count"]].sum()
    shares = (counts["correct"] / counts["count"]).groupby(level="named_by").mean()
    return {f"class_output/{name}": share for name, share in shares.items()}


def clustering_summary(clusters: pd.DataFrame) -> dict[str, float]:
    """Held-out images whose cluster is called by their class; what both tell of each other; mean over splits.

    `surest` calls clusters by one held-out image each and counts the others, `used` clusters have a training
    image, `k_means` is of pixels. A share is of a split's images, as published errors are, not a mean over
    its classes.
    """
    values: dict[str, list[float]] = {}
    for (_, found_by), rows in clusters.groupby(["split", "found_by"]):
        own = rows[rows["source"] == "held_out"]
        right = own.loc[own["called"] == own["class_id"], "count"].sum() / own["count"].sum()
        if found_by == K_MEANS:
            values.setdefault("k_means", []).append(right)
            continue
        values.setdefault("accuracy", []).append(right)
        by_one = own.loc[own["surest"] == own["class_id"], "rest"].sum()
        if own["rest"].any():
            values.setdefault("surest", []).append(by_one / own["rest"].sum())
        of_training = rows[rows["source"] == "training"].groupby("cluster")["count"].sum()
        values.setdefault("used", []).append(float((of_training > 0).sum()))
        counts = own.pivot_table("count", "class_id", "cluster", aggfunc="sum")
        values.setdefault("nmi", []).append(normalised_mutual_information(counts.to_numpy()))
    return {f"clustering/{name}": float(np.mean(each)) for name, each in values.items()}


def circles_summary(divided: pd.DataFrame) -> dict[str, float]:
    """Share of the points of two circles that each method divides as their labels do."""
    of_method = divided.groupby("method")[["accuracy", "information"]].mean()
    named = {"model": "model", "k-means": "k_means", "RIM": "rim"}
    shares = {f"circles/{named[str(name)]}": value for name, value in of_method["accuracy"].items()}
    return shares | {"circles/information": of_method["information"].mean()}


def stacked_modes_summary(modes: pd.DataFrame) -> dict[str, float]:
    """Of stacked digits: the modes that are drawn, those that as many uniform draws have, KL from uniform."""
    splits = modes.drop_duplicates(["split", "source"])
    number = modes["class_id"].nunique()
    values = {"stacked_modes/number": number, "stacked_modes/judge": splits["judge"].mean()}
    for source, rows in modes.groupby("source", sort=False):
        images = splits.loc[splits["source"] == source, "images"].sum()
        values[f"stacked_modes/modes/{source}"] = int((rows["named"] > 0).sum())
        if rows["named"].any():
            values[f"stacked_modes/kl/{source}"] = divergence_from_uniform(rows["named"].to_numpy())
        values[f"stacked_modes/uniform/{source}"] = number * (1 - (1 - 1 / number) ** images)
    return values


def pixel_deviation_summary(sets: pd.DataFrame) -> dict[str, float]:
    """Mean over splits of a pixel's deviation over generated images, and over training images."""
    means = sets.groupby("source", sort=False)["deviation"].mean()
    return {f"pixel_deviation/{source}": value for source, value in means.items()}


def attributes_summary(counts: pd.DataFrame) -> dict[str, float]:
    """Share of images with the attribute that was asked for, mean over classes, learnt and unseen."""
    return _seen_and_unseen("attributes", counts, "correct", ["source", "unseen", "attribute"])


def retrieval_summary(counts: pd.DataFrame) -> dict[str, float]:
    """Share of images that fit the class asked for best, mean over classes, learnt and unseen."""
    return _seen_and_unseen("retrieval", counts, "retrieved", ["source", "unseen"])


def matched_summary(counts: pd.DataFrame) -> dict[str, float]:
    """Share of held-out images that D takes to fit their caption better than another, mean over classes."""
    return _seen_and_unseen("matched", counts, "matched", ["unseen"])


def _seen_and_unseen(name: str, counts: pd.DataFrame, right: str, keys: list[str]) -> dict[str, float]:
    """Mean over classes of the share that is right, by these columns; learnt and unseen classes apart."""
    told = counts["unseen"].map({False: "seen", True: "unseen"})
    shares = counts.assign(share=counts[right] / counts["count"], unseen=told)
    means = shares.groupby(keys, sort=False)["share"].mean().reset_index()
    words = means[keys].agg("/".join, axis=1)
    return {f"{name}/{each}": mean for each, mean in zip(words, means["share"], strict=True)}


def linear_probe_summary(answers: pd.DataFrame) -> dict[str, float]:
    """Share of held-out images named rightly, mean over classes: mean and deviation over the draws."""
    counts = answers.groupby(["features", "draw", "class_id"], sort=False)[["correct", "count"]].sum()
    of_draw = (counts["correct"] / counts["count"]).groupby(level=["features", "draw"], sort=False).mean()
    values: dict[str, float] = {}
    for features, shares in of_draw.groupby(level="features", sort=False):
        values[f"linear_probe/{features}"] = shares.mean()
        if len(shares) > 1:
            values[f"linear_probe/{features}/std"] = shares.std()
    return values


def arithmetic_summary(trials: pd.DataFrame) -> dict[str, float]:
    """Share of A - B + C of the right colour and size, by latents behind each; P(large) along a walk."""
    counted, values = trials[trials["kind"].isin(["latents", "pixels"])], {}
    for (kind, n), rows in counted.groupby(["kind", "n"], sort=False):
        values["arithmetic/pixels" if kind == "pixels" else f"arithmetic/{n}"] = rows["value"].mean()
    values["arithmetic/pairs"] = counted["wanted"].nunique()
    large = trials[trials["kind"] == "walk"].groupby("t")["value"].mean()  # in the order of t
    if len(large):
        middle = large.iloc[len(large) // 2]
        ends = {"first": large.iloc[0], "middle": middle, "last": large.iloc[-1]}
        values |= {f"arithmetic/large/{name}": value for name, value in ends.items()}
        values["arithmetic/large/least_rise"] = large.diff().min()
    return values


SUMMARIES: dict[str, Callable[..., dict[str, float]]] = {  # of a metric's rows, in the order of summary.json
    "inception_score": inception_summary,
    "distribution": distribution_summary,
    "intra_class": intra_class_summary,
    "classification": classification_summary,
    "neighbours": neighbour_summary,  # needs its settings, too
    "smoothness": smoothness_summary,
    "bits_per_dim": bits_per_dim_summary,
    "binary_nats": binary_nats_summary,
    "reconstruction": reconstruction_summary,
    "codes": codes_summary,
    "inverse": inverse_summary,
    "code_neighbours": code_neighbours_summary,
    "shift": shift_summary,
    "with_noise": with_noise_summary,
    "modes": modes_summary,
    "energy": energy_summary,
    "density": density_summary,
    "circles": circles_summary,
    "class_output": class_output_summary,
    "clustering": clustering_summary,
    "stacked_modes": stacked_modes_summary,
    "pixel_deviation": pixel_deviation_summary,
    "linear_probe": linear_probe_summary,
    "attributes": attributes_summary,
    "retrieval": retrieval_summary,
    "matched": matched_summary,
    "caption_walks": caption_walks_summary,
    "arithmetic": arithmetic_summary,
}


def of_each_class(measured: dict[str, pd.DataFrame]) -> dict[str, Any]:
    """Columns by class_id, of the metrics there are: FID and its like, accuracy score, neighbours, walks."""
    columns: dict[str, Any] = {}
    if "intra_class" in measured:
        inside = measured["intra_class"].set_index("class_id")
        own = inside[inside["source"] == "generated"]
        columns |= {name: own[name] for name in ("fid", "precision", "recall", "density", "coverage")}
    if "classification" in measured:
        counts = measured["classification"].set_index("class_id")
        for trained_on in ("generated", "training"):
            rows = counts[counts["trained_on"] == trained_on]
            columns[f"cas_{trained_on}"] = rows["correct"] / rows["count"]
    nearest = measured["neighbours"].query("scope == 'class'")
    for metric in ("l1", "ms_ssim"):
        of_metric = nearest[nearest["metric"] == metric].groupby(["source", "class_id"])["distance"].median()
        for source in ("generated", "held_out"):
            columns[f"nearest_{metric}_{source}"] = of_metric.loc[source]
    if "smoothness" in measured:
        linear = measured["smoothness"].query("path == 'linear'").groupby("class_id")
        columns["largest_over_mean"] = linear["largest_over_mean"].mean()
    return columns

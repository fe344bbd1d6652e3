"""What no library trains: skip-gram in small batches with shared negative samples, and a classifier epoch by epoch.

Several threads change the same matrices without locks, as in Recht et al., "Hogwild!", 2011.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from clary_runtimes.algorithms.compiled import kernel, part

Array = Any

MULTIPLIER = np.uint64(116049371)
"""What fastText multiplies hashes of words with, to get those of their sequences."""


@kernel
def batch_skipgram(
    tokens: Array,
    starts: Array,
    lines: Array,
    keep: Array,
    table: Array,
    inputs: Array,
    outputs: Array,
    settings: Array,
    rates: Array,
    done: Array,
    seed: int,
) -> None:
    """One epoch over some lines: the words around each one, in batches, tell it from words drawn at random.

    ``tokens`` (words of the corpus, as rows of the matrices), ``starts`` (lines + 1), ``lines`` (two numbers: the first
    and the one after the last), ``keep`` (by word: the probability that an occurrence is used), ``table`` (words to
    draw negative samples from), ``settings`` (window, batch, negative samples), ``rates`` (learning rate of the first
    word, and of the last of this epoch), ``done`` (1, the words that all threads have seen).
    Source: Ji et al., "Parallelizing Word2Vec in Shared and Distributed Memory", 2016, https://arxiv.org/abs/1604.04661
    """
    np.random.seed(seed)
    window, size, negatives = settings
    width, total = inputs.shape[1], len(tokens)
    line = np.empty(np.max(starts[1:] - starts[:-1]), np.int32)
    around = np.empty(size, np.int32)
    chosen = np.empty(negatives + 1, np.int32)
    sources = np.empty((size, width), np.float32)
    targets = np.empty((negatives + 1, width), np.float32)
    for number in range(lines[0], lines[1]):
        length = 0
        for place in range(starts[number], starts[number + 1]):
            if np.random.random() < keep[tokens[place]]:
                line[length] = tokens[place]
                length += 1
        done[0] += starts[number + 1] - starts[number]
        rate = np.float32(rates[0] + (rates[1] - rates[0]) * min(1.0, done[0] / total))
        for middle in range(length):
            reach = np.random.randint(1, window + 1)
            place, last = max(0, middle - reach), min(length, middle + reach + 1)
            while place < last:
                count = 0
                while place < last and count < size:
                    if place != middle:
                        around[count] = line[place]
                        count += 1
                    place += 1
                if count == 0:
                    break
                chosen[0] = line[middle]
                others = 1
                for _ in range(negatives):
                    drawn = table[np.random.randint(0, len(table))]
                    if drawn != chosen[0]:
                        chosen[others] = drawn
                        others += 1
                for row in range(count):
                    sources[row] = inputs[around[row]]
                for row in range(others):
                    targets[row] = outputs[chosen[row]]
                wrong = np.dot(sources[:count], targets[:others].T)
                for row in range(count):
                    for column in range(others):
                        score = min(30.0, max(-30.0, wrong[row, column]))
                        wrong[row, column] = rate * ((column == 0) - 1 / (1 + math.exp(-score)))
                steps = np.dot(wrong, targets[:others])
                for row in range(count):
                    inputs[around[row]] += steps[row]
                steps = np.dot(wrong.T, sources[:count])
                for row in range(others):
                    outputs[chosen[row]] += steps[row]


@part
def _features(words: Array, hashes: Array, length: int, ngrams: int, known: int, buckets: int, found: Array) -> int:
    """Fill ``found`` with the rows of a line's words and sequences of words; returns how many there are."""
    count = 0
    for place in range(length):
        if words[place] >= 0:
            found[count] = words[place]
            count += 1
    for place in range(length if ngrams > 1 else 0):
        value = np.uint64(np.int64(hashes[place]))
        for following in range(place + 1, min(length, place + ngrams)):
            value = value * MULTIPLIER + np.uint64(np.int64(hashes[following]))
            found[count] = known + np.int64(value % np.uint64(buckets))
            count += 1
    return count


@kernel
def classifier_epoch(
    words: Array,
    hashes: Array,
    starts: Array,
    labels: Array,
    label_starts: Array,
    order: Array,
    inputs: Array,
    outputs: Array,
    settings: Array,
    rates: Array,
    seed: int,
) -> None:
    """One epoch over the lines in ``order``: the mean of a line's rows of ``inputs``, then a softmax over labels.

    ``words`` (rows of ``inputs``, -1 for words that are not known), ``hashes`` (int32, fastText's), ``starts`` and
    ``label_starts`` (lines + 1), ``settings`` (longest sequence of words, known words, buckets), ``rates`` (learning
    rate of the first line and of the last). A line of several labels is trained with one of them, drawn at random.
    Source: Joulin et al., "Bag of Tricks for Efficient Text Classification", 2016, https://arxiv.org/abs/1607.01759
    """
    np.random.seed(seed)
    ngrams, known, buckets = settings
    found = np.empty(np.max(starts[1:] - starts[:-1]) * max(1, ngrams), np.int64)
    for number in range(len(order)):
        line = order[number]
        first, last = starts[line], starts[line + 1]
        count = _features(words[first:last], hashes[first:last], last - first, ngrams, known, buckets, found)
        if count == 0:
            continue
        rate = np.float32(rates[0] + (rates[1] - rates[0]) * number / len(order))
        hidden = np.zeros(inputs.shape[1], np.float32)
        for place in range(count):
            hidden += inputs[found[place]]
        hidden /= np.float32(count)
        scores = np.dot(outputs, hidden)
        scores = np.exp(scores - scores.max())
        scores /= scores.sum()
        mark = labels[np.random.randint(label_starts[line], label_starts[line + 1])]
        step = np.zeros(inputs.shape[1], np.float32)
        for label in range(len(scores)):
            wrong = rate * (np.float32(label == mark) - scores[label])
            step += wrong * outputs[label]
            outputs[label] += wrong * hidden
        step /= np.float32(count)
        for place in range(count):
            inputs[found[place]] += step


@kernel
def classify(
    words: Array, hashes: Array, starts: Array, inputs: Array, outputs: Array, settings: Array, found: Array
) -> None:
    """Fill ``found`` (lines) with the best label of each line, -1 where no word of it is known."""
    ngrams, known, buckets = settings
    rows = np.empty(np.max(starts[1:] - starts[:-1]) * max(1, ngrams), np.int64)
    for line in range(len(found)):
        first, last = starts[line], starts[line + 1]
        count = _features(words[first:last], hashes[first:last], last - first, ngrams, known, buckets, rows)
        found[line] = -1
        if count:
            hidden = np.zeros(inputs.shape[1], np.float32)
            for place in range(count):
                hidden += inputs[rows[place]]
            found[line] = np.argmax(np.dot(outputs, hidden))

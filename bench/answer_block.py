"""Measures which of several blocks is taken for the answer, over phrasings of chats.

    CODEROBUST_DATA=DATA python bench/answer_block.py [--misses]

Chats are made around HumanEval's canonical solutions: a wrong draft and then the answer, or the
answer and then a wrong sketch, with other words around the blocks each time. The rule was written
with half of the phrasings in sight (drawn by seed 0), before anyone looked at results on the other
half. Prints how often the answer comes out, for each half and each kind of wrong code, beside what
the first and the last block would give. Nothing is run.
"""

from __future__ import annotations

import argparse
import os
import random
import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from pytest_coderobust.models.extraction.fenced import list_blocks
from pytest_coderobust.models.extraction.solution import extract
from pytest_coderobust.records import Task
from pytest_coderobust.tasks.load import load_tasks

LEADS_OF_DRAFTS = (
    "First try:",
    "A naive approach:",
    "Let me start with a simple version:",
    "Draft:",
    "Here's a solution:",
    "Step 1: the skeleton.",
    "Here's my attempt:",
    "Let's think. We could do:",
    "",
    "One idea would be to check every pair:",
    "Initially I'd write",
    "Sure! Here's a Python function for that:",
)
TO_ANSWERS = (
    "That is wrong. Corrected:",
    "Wait, this fails for 49. Let me fix that:",
    "Hmm, that doesn't handle the empty list. A better version:",
    "However, this is too slow for large inputs. Here is an optimized version:",
    "On second thought, the loop should start at 2:",
    "Let's test it: f(3) gives 4, but 3 is expected. So the comparison must be strict:",
    "Oops, I used the wrong operator.",
    "But we also need to consider negative numbers:",
    "Here's the final version:",
    "**Final answer**",
    "### Solution 2 (correct)",
    "After reviewing the examples, the function should be:",
    "Actually, we should return a list instead:",
    "Now refine it:",
    "Putting it all together:",
    "Let me reconsider. An alternative approach is to use a set:",
    "This would not work when n is 0. Instead:",
    "I made a mistake above. Apologies for the confusion. Here's the corrected code:",
    "The previous attempt misses a case; updated:",
    "Let's try a different approach.",
    "We can improve this by remembering what was seen:",
    "Now, filling in the details:",
    "Next, we implement the body:",
    "Alternatively, to avoid the bug above, sort first:",
    "A cleaner way that also covers duplicates:",
    "Use this one instead:",
    "The revised function:",
    "",
    "Second attempt:",
    "This passes all the examples:",
    "So the complete function is:",
    "Note that the above is only the naive idea. The full implementation follows.",
    "So we need a helper. Then:",
    "That version has a bug: it mutates the input. Fixed version below.",
    "Checking against the docstring, the last example does not match. Another try:",
    "This can be done better with a dictionary, as follows:",
    "The above could overflow the stack. To be safe:",
    "Edge cases such as an empty string break it, so handle them first:",
)
LEADS_OF_ANSWERS = (
    "Here is the solution:",
    "Sure!",
    "",
    "The function below does what is asked:",
    "**Solution**",
    "We count how often each item occurs and return the most frequent one.",
    "Here's an implementation of the function, with comments:",
    "To solve this, walk through the list once:",
)
TO_SKETCHES = (
    "A sketch of the idea:",
    "A naive version would be wrong for duplicates:",
    "For comparison, this does not work:",
    "Don't write it like this:",
    "Note: a common mistake is to compare with `is`:",
    "Alternatively, a recursive version (slower):",
    "In other words, in pseudocode:",
    "If you don't need to handle negative numbers, this is enough:",
    "You could also simplify it if the list is always sorted:",
    "A one-liner for the simple case:",
    "The brute-force approach, which I did not choose, looks like this:",
    "Here's a template you can adapt for other cases:",
    "Another option (not recommended):",
    "For reference, the original function signature was:",
    "Compare with the incorrect approach:",
    "The following would fail on empty input:",
    "**Alternative**",
    "### Variation that ignores the order",
    "Avoid:",
    "If you want to ignore case, change it to:",
    "An equivalent but less safe version:",
    "For example, a version that only handles integers:",
    "Bad version:",
    "This is different from the version which returns too early:",
    "As an exercise, try to fix this one:",
    "What not to do:",
    "Simplified, the structure is:",
    "If performance isn't a concern, you might do:",
    "The stub you started with:",
    "Optionally, with another return type:",
    "A shorter variant, untested:",
    "Here's how a beginner might get it wrong:",
    "Some people write it this way, which misses the last item:",
    "Without the guard, it would crash:",
    "There is also a quick and dirty way:",
    "Note that the built-in cannot be used directly, as in:",
)
TAILS = (
    "",
    "It is linear.",
    "I hope this helps!",
    "Let me know if you have any questions.",
    "Both need no import.",
)


def make_wrong_codes(task: Task) -> dict[str, str]:
    """Makes wrong versions of a task's function by kind: a stub, and one that returns wrong values."""
    body = task.canonical or ""
    returns = list(re.finditer(r"^( +)return (.+)$", body, re.M))
    last = returns[-1] if returns else None
    other = f"{body[: last.start()]}{last[1]}return [{last[2]}]\n" if last else "    return [0]\n"
    try:
        compile(task.prompt + other, "wrong", "exec")
    except SyntaxError:
        other = "    return [0]\n"
    return {"stub": f"{task.prompt}    return None\n", "wrong": task.prompt + other}


def split_half(phrases: tuple[str, ...], *, held_out: bool) -> list[str]:
    """Takes the half of the phrasings that was in sight, or the other."""
    mixed = random.Random(0).sample(phrases, len(phrases))
    return mixed[1::2] if held_out else mixed[::2]


def make_fence(code: str) -> str:
    return f"```python\n{code}```\n"


def list_chats(*, held_out: bool) -> Iterator[tuple[str, str, str]]:
    """Lists chats with `<answer>` and `<wrong>` in place of blocks: kind, phrase, text."""
    halves = {
        name: split_half(phrases, held_out=held_out)
        for name, phrases in (
            ("drafts", LEADS_OF_DRAFTS), ("answers", LEADS_OF_ANSWERS),
            ("to answers", TO_ANSWERS), ("to sketches", TO_SKETCHES), ("tails", TAILS),
        )
    }  # fmt: skip
    for lead in halves["drafts"]:
        for between in halves["to answers"]:
            for tail in halves["tails"]:
                phrase = f"{lead} | {between} | {tail}"
                yield "draft, then answer", phrase, f"{lead}\n<wrong>{between}\n<answer>{tail}"
    for lead in halves["answers"]:
        for between in halves["to sketches"]:
            for tail in halves["tails"]:
                phrase = f"{lead} | {between} | {tail}"
                yield "answer, then sketch", phrase, f"{lead}\n<answer>{between}\n<wrong>{tail}"


def fill_chat(text: str, answer: str, wrong: str) -> str:
    return text.replace("<answer>", make_fence(answer)).replace("<wrong>", make_fence(wrong))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--misses", action="store_true", help="list phrasings that fail")
    options = parser.parse_args()
    tasks = list(load_tasks("humaneval", base=Path(os.environ["CODEROBUST_DATA"])).tasks)
    print(f"{'half':10}{'kind':24}{'wrong code':12}{'chats':>7}{'rule':>7}{'first':>7}{'last':>7}")
    for held_out in (False, True):
        count: Counter[tuple[str, str, str]] = Counter()
        misses: Counter[tuple[str, str]] = Counter()
        for place, (kind, phrase, text) in enumerate(list_chats(held_out=held_out)):
            task = tasks[place % len(tasks)]
            answer = task.prompt + (task.canonical or "")
            for wrong, code in make_wrong_codes(task).items():
                chat = fill_chat(text, answer, code)
                blocks = list_blocks(chat)
                count[kind, wrong, "chats"] += 1
                # What a block alone makes: helpers of its task's preamble are the same for all.
                alone = [extract(make_fence(each.text), task) for each in blocks]
                right = extract(make_fence(answer), task)
                found = extract(chat, task) == right
                count[kind, wrong, "rule"] += found
                count[kind, wrong, "first"] += alone[0] == right
                count[kind, wrong, "last"] += alone[-1] == right
                if not found:
                    misses[kind, phrase.split(" | ")[1]] += 1
        for kind, wrong in dict.fromkeys((kind, wrong) for kind, wrong, _ in count):
            cells = "".join(
                f"{count[kind, wrong, each]:7}" for each in ("chats", "rule", "first", "last")
            )
            print(f"{'held out' if held_out else 'in sight':10}{kind:24}{wrong:12}{cells}")
        if options.misses:
            for (kind, phrase), number in misses.most_common():
                print(f"  {number:4} {kind}: {phrase}")


if __name__ == "__main__":
    main()

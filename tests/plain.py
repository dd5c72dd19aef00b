"""The oracle of the tests: the distance of two records, plain and slow, written from sifarish's description.

It shares no code with pehchan. A schema is sifarish's JSON as json.loads gives it, properties are a mapping
of texts; `sifarish.compat=true` among them asks for Java's answer instead of the right one. Measures that
sifarish has not are here too, under names of their own.

    plain_pairs(records, schema, properties)           {(first id, second id): distance}, nested loops
    plain_links(base, other, schema, properties)       the same for two sets of records
    plain_distance(first, second, schema, properties)  distance of two records, None where a threshold cuts

A record is a list of texts. A field may hold what sifarish says once for the whole schema
(textMatchingAlgorithm, missingValueHandler, ...), and two keys that sifarish has not: "share", its weight in
the mean, and "fold", any of "case" and "accents".
"""

import math
import re
import unicodedata
from collections import Counter
from datetime import datetime
from functools import lru_cache
from hashlib import blake2b
from json import dumps

NAN, INF = math.nan, math.inf
OF_THE_SCHEMA = ("textMatchingAlgorithm", "srcNonMatchingTermWeight", "trgNonMatchingTermWeight",
                 "numericDiffThreshold", "missingValueHandler")  # fmt: skip


class Unreadable(ValueError):
    """A value that does not count, because it is no number, no window and so on."""


def over(a, b):
    """a / b as Java divides."""
    return a / b if b else NAN if a == 0 or math.isnan(a) else math.copysign(INF, a) * math.copysign(1, b)


# words and letters


def words(value, compat):
    if not compat:
        return re.findall(r"\S+", value, re.ASCII)
    parts = re.split(r"\s+", value, flags=re.ASCII)
    while len(parts) > 1 and parts[-1] == "":
        parts.pop()
    return [] if parts == [""] and value else parts


@lru_cache(maxsize=200_000)
def edits(a, b):
    """Insertions and deletions from a to b."""
    row = [0] * (len(b) + 1)
    for letter in a:
        above = row
        row = [0]
        for place, other in enumerate(b):
            row.append(above[place] + 1 if letter == other else max(above[place + 1], row[place]))
    return len(a) + len(b) - 2 * row[-1]


def units(value):
    """The UTF-16 units of a value, which Java takes for letters."""
    raw = value.encode("utf-16-be", "surrogatepass")
    return "".join(chr(raw[k] << 8 | raw[k + 1]) for k in range(0, len(raw), 2))


def word_distance(a, b, compat):
    if not compat:
        return edits(a, b) / (len(a) + len(b))
    if a == b:
        count = 0
    elif len(a) == 1:
        count = len(b) - 1 if a in b else len(b) + 1
    elif len(b) == 1:
        count = len(a) - 1
    else:
        count = edits(a, b)
    return over(count, len(a) + len(b))


def edit(a, b, field):
    compat = field["compat"]
    if compat:
        a, b = units(a), units(b)
    if not field["tokens"]:
        return edits(a, b) / (len(a) + len(b))
    left, right = words(a, compat), words(b, compat)
    if len(left) != len(right):
        return 1.0
    if not left:
        return NAN if compat else 0.0
    total = 0.0
    for x, y in zip(left, right, strict=True):
        total += word_distance(x, y, compat)
    return total / len(left)


def jaccard(a, b, field):
    compat, source, target = (
        field["compat"],
        field["srcNonMatchingTermWeight"],
        field["trgNonMatchingTermWeight"],
    )
    left, right = words(a, compat), words(b, compat)
    if not compat:
        left, right = set(left), set(right)
        if not left and not right:
            return 0.0
    shared = sum(x == y for x in left for y in right)
    return 1 - over(shared, shared + source * (len(left) - shared) + target * (len(right) - shared))


def dice(a, b, field):
    if field["compat"]:
        even = {**field, "srcNonMatchingTermWeight": 1.0, "trgNonMatchingTermWeight": 1.0}
        d = 1 - 2 * (1 - jaccard(a, b, even))
        return d if math.isnan(d) else max(0.0, d)
    left, right = set(words(a, False)), set(words(b, False))
    return 1 - 2 * len(left & right) / (len(left) + len(right)) if left or right else 0.0


def cosine(a, b, field):
    left, right = Counter(words(a, field["compat"])), Counter(words(b, field["compat"]))
    product = sum(left[word] * right[word] for word in left)
    squares = [sum(count * count for count in bag.values()) for bag in (left, right)]
    if field["compat"]:
        return over(product, math.sqrt(squares[0]) * math.sqrt(squares[1]))
    if not left or not right:
        return 0.0 if not left and not right else 1.0
    return 1 - product / math.sqrt(squares[0] * squares[1])


def char_pair(a, b, field):
    left, right = (
        Counter(word[k : k + 2] for word in words(value, False) for k in range(len(word) - 1))
        for value in (a, b)
    )
    if a == b:
        return 0.0
    size = left.total() + right.total()
    return 1 - 2 * (left & right).total() / size if size else 1.0


def text(a, b, field):
    return TEXT[field["textMatchingAlgorithm"]](a, b, field)


TEXT = {"editDistance": edit, "jaccard": jaccard, "dice": dice, "cosine": cosine, "charPair": char_pair}

# the other types


def parsed(value, kind):
    """The number that Java reads in a text; raises Unreadable."""
    if kind == "int":
        if re.fullmatch(r"[+-]?[0-9]+", value) and -(2**31) <= int(value) < 2**31:
            return float(value)
    elif re.fullmatch(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?[fFdD]?", value):
        return float(value.rstrip("fFdD"))
    raise Unreadable(value)


def number(a, b, field):
    unit = field["unit"]
    if field["compat"]:
        left, right = words(a, True), words(b, True)
        with_unit = len(left) == 2 and left[1] == unit and len(right) == 2 and right[1] == unit
        if not with_unit and not len(left) == len(right) == 1:
            return 0.0
        try:
            x, y = parsed(left[0], field["dataType"]), parsed(right[0], field["dataType"])
        except Unreadable:
            return 0.0
        largest = max(x, y)
    else:
        x, y = (
            parsed(value.removesuffix(unit).strip() if unit else value, field["dataType"])
            for value in (a.strip(), b.strip())
        )
        largest = max(abs(x), abs(y))
    low, high = field["min"], field["max"]
    if high > low:
        return abs(x - y) / (high - low)
    return 1.0 if over(abs(x - y), largest) > field["numericDiffThreshold"] else 0.0


def categorical(a, b, field):
    if a == b:
        return 0.0
    for each in field["categoricalDistances"]:
        if {a, b} == {each["thisValue"], each["thatValue"]}:
            return float(each["distance"])
    concepts = field["conceptHierarchy"]["concepts"]
    related = [(each["parent"], child) for each in concepts for child in each["children"]]
    if field["compat"]:
        return 0.0 if [parent for parent, child in related if child == b][:1] == [a] else 1.0
    return 0.0 if (a, b) in related or (b, a) in related else 1.0


def parts(value, field, count):
    found = re.split(field["delimiter"], value)
    if len(found) != count:
        raise Unreadable(value)
    return [part.strip() for part in found]


def time_window(a, b, field):
    windows = []
    for value in (a, b):
        try:
            moments = [datetime.strptime(part, "%Y-%m-%d %H:%M:%S") for part in parts(value, field, 2)]
        except ValueError:
            raise Unreadable(value) from None
        # Whole seconds: of minutes with a fraction the overlap would be rounded.
        windows.append([int((moment - datetime(1970, 1, 1)).total_seconds()) for moment in moments])
    return window_distance(*windows, 60 * field["maxTimeWindow"], turn=None)


def hour_window(a, b, field):
    windows = []
    for value in (a, b):
        times = parts(value, field, 2)
        if not all(re.fullmatch("([01][0-9]|2[0-3])[0-5][0-9]|2400", time) for time in times):
            raise Unreadable(value)
        windows.append([60 * int(time[:2]) + int(time[2:]) for time in times])
    return window_distance(*windows, field["maxTimeWindow"], turn=None if field["compat"] else 24 * 60)


def window_distance(a, b, full, turn):
    """turn: what a window that ends before it starts goes around; None where there is no such window."""
    for window in (a, b):
        if window[0] > window[1]:
            if turn is None:
                raise Unreadable("it ends before it starts")
            window[1] += turn
    shifts = (0,) if turn is None else (-turn, 0, turn)
    common = sum(max(0, min(a[1], b[1] + shift) - max(a[0], b[0] + shift)) for shift in shifts)
    if full == 0:
        return 0.0 if common > 0 or a == b else 1.0
    return 1 - min(1.0, common / full)


def location(a, b, field):
    left, right = ([" ".join(part.lower().split()) for part in parts(value, field, 3)] for value in (a, b))
    differing = sum(x != y for x, y in zip(left, right, strict=True))
    if field["distAlgorithm"] == "euclidean":
        return math.sqrt(differing) / 3
    return 0.0 if field["compat"] else differing / 3


def geo(a, b, field):
    points = []
    for value in (a, b):
        try:
            points.append([math.radians(float(part)) for part in parts(value, {"delimiter": ":"}, 2)])
        except ValueError:
            raise Unreadable(value) from None
    (phi, theta), (phi2, theta2) = points
    h = math.sin((phi2 - phi) / 2) ** 2 + math.cos(phi) * math.cos(phi2) * math.sin((theta2 - theta) / 2) ** 2
    kilometres = round(2 * 6371 * math.asin(min(1.0, math.sqrt(h))))
    return min(1.0, kilometres / field["maxDistance"]) if field["maxDistance"] > 0 else 1.0


# what sifarish has not


def exact(a, b, field):
    return 0.0 if a == b else 1.0


def levenshtein(a, b, field):
    return replacements(a, b) / max(len(a), len(b))


@lru_cache(maxsize=200_000)
def replacements(a, b):
    """Insertions, deletions and replacements from a to b."""
    row = list(range(len(b) + 1))
    for letter in a:
        above = row
        row = [above[0] + 1]
        for place, other in enumerate(b):
            row.append(min(above[place] + (letter != other), above[place + 1] + 1, row[place] + 1))
    return row[-1]


def damerau_levenshtein(a, b, field):
    return swaps(a, b) / max(len(a), len(b))


@lru_cache(maxsize=200_000)
def swaps(a, b):
    """The same with swaps of neighbours, by Lowrance and Wagner's algorithm."""
    far = len(a) + len(b)
    # Row and column -1 of their table are the last here.
    table = [[far] * (len(b) + 2) for _ in range(len(a) + 2)]
    table[0][: len(b) + 1] = range(len(b) + 1)
    last_row = dict.fromkeys(a + b, 0)
    for i, letter in enumerate(a, 1):
        table[i][0] = i
        last_column = 0
        for j, other in enumerate(b, 1):
            row, column = last_row[other], last_column
            if letter == other:
                last_column = j
            table[i][j] = min(
                table[i - 1][j - 1] + (letter != other),
                table[i][j - 1] + 1,
                table[i - 1][j] + 1,
                table[row - 1][column - 1] + (i - row - 1) + 1 + (j - column - 1),
            )
        last_row[letter] = i
    return table[len(a)][len(b)]


def aligned(a, b, field):
    """Edit distance with words in any order: the closest two first, of equally close ones the nearest."""
    left, right = words(a, False), words(b, False)
    cells = sorted(
        (word_distance(x, y, False), abs(i - j), i + j, i, j)
        for i, x in enumerate(left)
        for j, y in enumerate(right)
    )
    total, rows, columns = 0.0, set(range(len(left))), set(range(len(right)))
    for d, _, _, i, j in cells:
        if i in rows and j in columns:
            rows.remove(i)
            columns.remove(j)
            total += d
    return (total + len(rows) + len(columns)) / max(len(left), len(right)) if left or right else 0.0


def date(a, b, field):
    try:
        days = [datetime.strptime(value.strip(), "%Y-%m-%d").toordinal() for value in (a, b)]
    except ValueError:
        raise Unreadable from None
    return min(1.0, abs(days[0] - days[1]) / field["maxDays"])


def event(a, b, field):
    if field["compat"]:
        return 0.0
    left, right = parts(a, field, 6), parts(b, field, 6)
    what = edit(left[0], right[0], {**field, "tokens": True})
    where = location(
        *("::".join(each[1:4]) for each in (left, right)), {**field, "distAlgorithm": "manhattan"}
    )
    when = time_window(*("::".join(each[4:]) for each in (left, right)), field)
    first, second, third = field["partWeights"]
    return min(1.0, (first * what + second * where + third * when) / (first + second + third))


TEXT |= {"levenshtein": levenshtein, "damerauLevenshtein": damerau_levenshtein, "aligned": aligned}
TYPES = {"text": text, "int": number, "double": number, "categorical": categorical, "location": location,
         "timeWindow": time_window, "hourWindow": hour_window, "geoLocation": geo,
         "string": lambda a, b, field: 0.0, "exact": exact, "date": date, "event": event}  # fmt: skip

# records


def is_true(value):
    return str(value).lower() == "true"


def fields_of(schema, properties):
    """The compared fields, each with all that its distance depends on."""
    compat = is_true(properties.get("sifarish.compat"))
    faceted = re.findall(r"\d+", properties.get("sts.faceted.field.ordinal", ""))
    found = []
    for given in schema["entity"]["fields"]:
        field = {"min": 0, "max": 0, "unit": "", "maxDistance": 0, "maxTimeWindow": 0, "distThreshold": -1,
                 "functionThreshold": 0.5, "implodeThreshold": -0.1, "explodeThreshold": 1.1, "share": 1,
                 "fold": (), "categoricalDistances": (), "conceptHierarchy": {"concepts": ()}, "weight": 1,
                 "srcNonMatchingTermWeight": 1, "trgNonMatchingTermWeight": 1, "numericDiffThreshold": 0,
                 "missingValueHandler": "default", "id": False, "classAttribute": False,
                 **{key: schema[key] for key in OF_THE_SCHEMA if key in schema}, **given}  # fmt: skip
        for key in ("ordinal", "min", "max", "maxDistance", "maxTimeWindow"):
            field[key] = int(float(field[key]))
        for key in ("weight", "numericDiffThreshold", "srcNonMatchingTermWeight", "trgNonMatchingTermWeight"):
            field[key] = float(field[key])
        if is_true(field["id"]) or is_true(field["classAttribute"]):
            continue
        if faceted and str(field["ordinal"]) not in faceted:
            continue
        last = [key for key in given if key in ("weight", "contAttrDistanceFunction")][-1:]
        curve = given.get("contAttrDistanceFunction", "nonLinear" if "weight" in given else "none")
        field["curve"] = "nonLinear" if compat and last == ["weight"] else curve
        field["compat"], field["known"] = compat, {}
        field.setdefault("tokens", is_true(properties.get("edit.dist.token", "true")))
        field["delimiter"] = properties.get("sts.sub.field.delim.regex", "::")
        found.append(field)
    return found


def effective(d, field):
    """What the distance d of a field is in the sum."""
    w, t, curve = field["weight"], field["functionThreshold"], field["curve"]
    if curve == "nonLinear":
        return d / w + (1 - 1 / w) * d * d
    if curve == "sigmoid":
        return 1 / (1 + math.exp(-w * (d - t)))
    if curve in ("step", "ramp") and d < t:
        return 0.0
    return 1.0 if curve == "step" else d


def raised(base, power):
    """base ** power as Java has it."""
    try:
        return math.pow(base, power)
    except OverflowError:
        return INF
    except ValueError:
        return NAN


def aggregate(counted, schema, properties):
    """The scaled distance from (effective distance, field) of the fields that count."""
    scale = int(properties.get("sts.distance.scale", 1000))
    imploded = any(e < field["implodeThreshold"] for e, field in counted)
    exploded = any(e > field["explodeThreshold"] for e, field in counted)
    if imploded != exploded:
        return scale if exploded else 0
    power = float(schema.get("minkowskiParam", 0))
    powered, rooted = {
        "manhattan": (lambda e: e, lambda total: total),
        "euclidean": (lambda e: e * e, math.sqrt),
    }.get(
        schema["distAlgorithm"], (lambda e: raised(e, power), lambda total: raised(total, over(1.0, power)))
    )
    # sifarish once counted the id as a field of distance 0.
    total, count = 0.0, 1.0 if is_true(properties.get("sifarish.id.counted")) else 0.0
    for e, field in counted:
        total += field["share"] * powered(e)
        count += field["share"]
    result = over(rooted(total) * scale, count)
    if math.isnan(result):
        return 0 if is_true(properties.get("sifarish.compat")) else scale
    return math.trunc(max(-(2**31), min(2**31 - 1, result)))


def folded(value, kinds):
    if "case" in kinds:
        value = value.casefold()
    if "accents" in kinds:
        value = "".join(
            each for each in unicodedata.normalize("NFKD", value) if not unicodedata.combining(each)
        )
    return value


def value_distance(a, b, field):
    """The distance of two values of a field, None where one is missing; remembered, for most come again."""
    known = field["known"]
    if (a, b) not in known:
        x, y = (folded(value, field["fold"]) for value in (a, b))
        try:
            known[a, b] = TYPES[field["dataType"]](x, y, field) if x != "" and y != "" else None
        except Unreadable:
            known[a, b] = None
    return known[a, b]


def plain_distance(first, second, schema, properties=None):
    """The scaled distance of two records, None where the threshold of a field cuts the pair."""
    properties = properties or {}
    return _distance(first, second, fields_of(schema, properties), schema, properties)


def _distance(first, second, fields, schema, properties):
    counted, d = [], 0.0
    for field in fields:
        handler, threshold = field["missingValueHandler"], float(field["distThreshold"])
        found = value_distance(first[field["ordinal"]], second[field["ordinal"]], field)
        if found is None and handler == "skip":
            continue
        if found is not None:
            d = found
        elif handler == "default":
            d = 1.0
        # Else, as sifarish with a handler it does not know, the distance of the field before.
        if threshold > 0 and d > threshold:
            return None
        counted.append((effective(abs(d), field), field))
    return aggregate(counted, schema, properties)


def java_bucket(record_id, count):
    """The bucket of sifarish's self-join."""
    value = 0
    for unit in units(record_id):
        value = (31 * value + ord(unit)) % 2**32
    return abs(value - 2**32 if value >= 2**31 else value) % count // 2


def id_column(schema):
    return next(
        (int(each["ordinal"]) for each in schema["entity"]["fields"] if is_true(each.get("id"))), None
    )


def settled_ids(records, schema, properties):
    """An id a record: of the same ids the first by content keeps it, the others get ~2, ~3 and so on."""
    column, ids, seen = id_column(schema), [""] * len(records), Counter()
    compat, made = is_true(properties.get("sifarish.compat")), is_true(properties.get("sts.auto.generate.id"))
    for number in sorted(range(len(records)), key=lambda k: records[k]):
        items = records[number]
        given = items[column] if column is not None and (compat or not made) else ""
        content = dumps(items, separators=(",", ":")).encode()
        given = given or "#" + blake2b(content, digest_size=8).hexdigest()
        seen[given] += 1
        ids[number] = given if seen[given] == 1 or compat else f"{given}~{seen[given]}"
    return ids


def in_order(first_id, second_id, properties):
    """Whether the pair is written in this order: smaller id first; with compat that of the higher bucket."""
    keys = [(first_id,), (second_id,)]
    if is_true(properties.get("sifarish.compat")):
        count = int(properties.get("sts.bucket.count", 1000))
        keys = [(-java_bucket(each, count), each) for each in (first_id, second_id)]
    return keys[0] <= keys[1]


def plain_pairs(records, schema, properties=None):
    """{(first id, second id): distance} of the pairs of records at or under the threshold of the properties.

    With sts.mixed.in.sets only of those whose ids are the same behind the set id.
    """
    properties = properties or {}
    ids = settled_ids(records, schema, properties)
    mixed = is_true(properties.get("sts.mixed.in.sets", properties.get("inter.set.matching")))
    size = int(properties.get("sts.set.ID.size", properties.get("set.ID.size", 0)))
    meetings = []
    for i, first in enumerate(ids):
        for j, second in enumerate(ids[:i]):
            same_entity = first[size:] == second[size:] and first[:size] != second[:size]
            if first != second and (same_entity or not mixed):
                meetings.append((i, j) if in_order(first, second, properties) else (j, i))
    return _close((ids, records), (ids, records), meetings, schema, properties)


def plain_links(base, other, schema, properties=None):
    """The same for the pairs of a record of one set and one of another; also of those with the same id."""
    properties = properties or {}
    left, right = ((settled_ids(each, schema, properties), each) for each in (base, other))
    meetings = [(i, j) for i in range(len(base)) for j in range(len(other))]
    return _close(left, right, meetings, schema, properties)


def _close(left, right, meetings, schema, properties):
    fields, partition = fields_of(schema, properties), int(schema.get("partitioningColumn", -1))
    threshold = int(properties.get("sts.dist.threshold") or properties.get("sts.distance.scale", 1000))
    found = {}
    for i, j in meetings:
        first, second = left[1][i], right[1][j]
        if partition < 0 or first[partition] == second[partition]:
            distance = _distance(first, second, fields, schema, properties)
            if distance is not None and distance <= threshold:
                found[left[0][i], right[0][j]] = distance
    return found

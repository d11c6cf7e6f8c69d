"""The settings of money: which column the price is, for what, whether in cents, and how its numbers are written."""

from __future__ import annotations

from collections.abc import Mapping

from asset_checks.contracts import CONTRACTS
from productpulse_assets.sources.proposal.column_matching import PRICE, Confidence, is_number
from productpulse_assets.sources.proposal.dataset_settings import Matched, samples
from productpulse_assets.sources.proposal.decisions import Change, Choice, Decision, Draft, get
from productpulse_assets.sources.proposal.period_settings import ask_about_ends
from productpulse_assets.sources.proposal.price_units import (
    CENTS,
    Billing,
    PriceMatch,
    PriceReading,
    match_price,
    may_be_cents,
    named_column,
)
from productpulse_assets.sources.proposal.shape_settings import months_of
from productpulse_assets.sources.proposal.value_formats import UNIT, read_numbers
from productpulse_assets.sources.proposal.vocabulary import vocabulary
from productpulse_assets.sources.readers.blanks import plain_name

SUBSCRIPTIONS, TRANSACTIONS = "subscriptions", "transactions"
PRICE_PLACE = ("datasets", SUBSCRIPTIONS, "columns", PRICE)
WITH_THOUSANDS = "1,234.50"
Datasets = Mapping[str, Matched]


def propose_price(draft: Draft, datasets: Datasets) -> None:
    """The price with its unit, cents and the forms of numbers; what is unsure is left out and asked about."""
    shape = ("datasets", SUBSCRIPTIONS, "shape")
    has_shape = get(draft.settings, shape) is not None or any(each.place == shape for each in draft.decisions)
    if SUBSCRIPTIONS in datasets and not has_shape:
        matched, paid = datasets[SUBSCRIPTIONS], datasets.get(TRANSACTIONS)
        paid_by = (paid.export, paid.columns) if paid else (None, None)
        billing = Billing(matched.export, matched.columns, *paid_by)
        match = match_price(billing)
        if match.confidence > Confidence.UNSURE and not match.may_be_cents:
            first = match.readings[0]
            for change in _changes(first):
                draft.set(change.place, change.value)
            draft.notes[PRICE_PLACE] = f"{match.confidence.name.lower()}: {match.reason}"
        else:
            _ask_for_price(draft, matched, match)
        _check_billing_cycle(draft, matched)
        ask_about_ends(draft, billing, datasets)
    if TRANSACTIONS in datasets:
        _propose_amount_in_cents(draft, datasets[TRANSACTIONS], has_prices=SUBSCRIPTIONS in datasets)
    for matched in datasets.values():
        _propose_number_format(draft, matched)


def _check_billing_cycle(draft: Draft, matched: Matched) -> None:
    """Take the billing cycle out where a column with a number of months goes with it, and the price does not use it."""
    place = ("datasets", SUBSCRIPTIONS, "columns", "billing_cycle")
    count = named_column(matched.export, vocabulary().price.count)
    has_several = count and any(value != "1" for value in matched.export.columns[count].values)
    header = matched.header(draft, "billing_cycle")
    if count and has_several and header and not get(draft.settings, (*PRICE_PLACE[:2], "price", "every")):
        get(draft.settings, place[:-1]).pop("billing_cycle")
        question = f"'{header}' is billed every '{count}' of these, which this column alone does not say."
        draft.ask(Decision(place, question))


def _changes(reading: PriceReading, *, all_in_cents: bool = False) -> list[Change]:
    """The settings of a reading of the price."""
    base = ("datasets", SUBSCRIPTIONS)
    changes = [Change(PRICE_PLACE, reading.column.header)]
    if reading.per != "month" or reading.seats or reading.every:
        columns = {"every": reading.every, "seats": reading.seats}
        price = {"per": reading.per} | {name: header for name, header in columns.items() if header}
        changes.append(Change((*base, "price"), price))
    if reading.price_in_cents or all_in_cents:
        changes.append(Change((*base, "minor_units"), True))
    if reading.amount_in_cents or all_in_cents:
        changes.append(Change(("datasets", TRANSACTIONS, "minor_units"), True))
    return changes


def _ask_for_price(draft: Draft, matched: Matched, match: PriceMatch) -> None:
    best = max((each.agreement or 0 for each in match.readings), default=0)
    readings = [each for each in match.readings if _is_shown(each, best)][:8]
    choices = []
    for reading in readings:
        about = samples(matched.export, reading.column.header, SUBSCRIPTIONS, PRICE)
        evidence = f"{reading.evidence}; {about}"
        choices.append(Choice(reading.words, tuple(_changes(reading)), evidence))
        if match.may_be_cents:
            changes = tuple(_changes(reading, all_in_cents=True))
            choices.append(Choice(f"{reading.words}, all amounts in cents", changes, evidence))
    if match.may_be_cents and match.confidence > Confidence.UNSURE:
        question = f"Is '{match.readings[0].column.header}' in cents? Its values are whole numbers as cents would be."
    else:
        question = f"What is {PRICE} in {matched.export.pattern}? {match.reason[:1].upper()}{match.reason[1:]}."
    if any(plain_name(header) == PRICE for header in matched.export.names):
        question += f" Until it is decided, '{PRICE}' is read by its name."
    draft.ask(Decision(PRICE_PLACE, question, tuple(choices)))


def _is_shown(reading: PriceReading, best: float) -> bool:
    """Whether a reading is worth a choice: without payments, cents are one only where the name says so."""
    if reading.agreement is None:
        return not reading.amount_in_cents and reading.price_in_cents == reading.column.is_cents
    return not reading.is_refuted or reading.agreement == best


def _propose_amount_in_cents(draft: Draft, paid: Matched, *, has_prices: bool) -> None:
    """Amounts whose name says cents; without prices to compare, a question about whole numbers."""
    header = paid.columns["amount"].header
    place = ("datasets", TRANSACTIONS, "minor_units")
    if header and CENTS.search(header):
        draft.set(place, True, "certain: its name says so")
    elif header and not has_prices and may_be_cents(paid.export, header):
        draft.ask(Decision(place, f"Is '{header}' in cents?", (Choice("true", (Change(place, True),)),)))


def _propose_number_format(draft: Draft, matched: Matched) -> None:
    """How the numbers of a file are written: one form for all its numbers."""
    headers = [
        header
        for column in CONTRACTS[matched.dataset].columns
        if is_number(matched.dataset, column) and (header := matched.header(draft, column))
    ]
    if matched.dataset == SUBSCRIPTIONS and (seats := named_column(matched.export, vocabulary().price.seats)):
        headers.append(seats)
    if get(draft.settings, ("datasets", matched.dataset, "shape")):
        headers += months_of(matched.export)
    values = [value for header in headers for value in matched.export.columns[header].values]
    numbers = read_numbers(values)
    place = ("datasets", matched.dataset, "number_format")
    if not values or (numbers and numbers.format == UNIT and not (numbers.alternatives or numbers.has_signs)):
        return
    if numbers is None:
        question = f"The numbers of {matched.export.pattern} are written in several ways. Export them in one."
        draft.ask(Decision(place, question))
    elif numbers.alternatives:
        forms = (numbers.format, *numbers.alternatives)
        shown = ", ".join(value for value in values if value[-4:-3] in (",", "."))
        question = (
            f"How are the numbers of {matched.export.pattern} written ({shown[:60]})? They can be read in several ways."
        )
        draft.ask(Decision(place, question, tuple(Choice(each, (Change(place, each),)) for each in forms)))
    else:
        # With signs, a form has to be given. Points are decimal here, so the form that also has thousands is right too.
        draft.set(place, WITH_THOUSANDS if numbers.format == UNIT else numbers.format, "certain: no other form fits")

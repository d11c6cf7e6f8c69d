"""sources.yaml as proposed for the exports of thirteen systems, and for single files that leave a doubt."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from functools import cache
from pathlib import Path

import ibis.expr.types as ir
import pytest

from asset_checks.contracts import CONTRACTS, is_computed
from productpulse_assets.cli.init import copy_rules
from productpulse_assets.sources import assets as source_assets
from productpulse_assets.sources.location import locate
from productpulse_assets.sources.proposal.column_matching import Confidence, match_columns
from productpulse_assets.sources.proposal.decisions import Decision, get
from productpulse_assets.sources.proposal.exports import read_folder
from productpulse_assets.sources.proposal.proposal import Proposal, propose
from productpulse_assets.sources.proposal.sources_yaml import sources_yaml
from productpulse_assets.sources.proposal.vocabulary import plain, vocabulary
from resources.duckdb_connection import FileAccess, in_memory
from resources.settings import Settings
from resources.warehouse import fill
from rules.loading.files import load
from rules.models import Sources
from rules.rule_set import read_rules
from tests.builders import rows
from tests.errors import raises
from tests.productpulse_assets.sources.proposal.companies import SHAPES, company

NAMES = [name for name, shape in SHAPES.items() if not shape.preset]


@pytest.fixture(scope="module")
def proposals(tmp_path_factory):
    """The proposal for each system's export, computed once."""

    @cache
    def folder(name: str) -> Path:
        path = tmp_path_factory.mktemp("exports")
        SHAPES[name].write(path)
        return path

    @cache
    def proposal(name: str) -> Proposal:
        return propose(folder(name))

    proposal.folder = folder
    return proposal


def mapped(proposal: Proposal) -> dict[tuple[str, str], object]:
    return {(dataset, column): source for dataset, column, source in proposal.mapped}


def truth(name: str) -> dict[tuple[str, str], object]:
    return {
        (dataset, column): header
        for dataset, columns in SHAPES[name].truth.items()
        for column, header in columns.items()
    }


def write(folder: Path, **files: str) -> Path:
    for name, text in files.items():
        (folder / f"{name}.csv").write_text(text)
    return folder


def question(proposal: Proposal, *place: str) -> Decision:
    (decision,) = [each for each in proposal.draft.decisions if each.place == place]
    return decision


# --- the exports of thirteen systems ---------------------------------------------------------------


@pytest.mark.parametrize("name", NAMES)
def test_no_column_is_mapped_to_another_one(proposals, name):
    right = truth(name)
    assert {key: source for key, source in mapped(proposals(name)).items() if right.get(key) != source} == {}


@pytest.mark.parametrize("name", NAMES)
def test_a_column_that_is_not_mapped_is_asked_about_or_its_file_is_listed(proposals, name):
    proposal = proposals(name)
    asked = {(each.place[1], each.place[3]) for each in proposal.draft.decisions if each.place[2:3] == ("columns",)}
    left_out = {*proposal.incomplete, *(set(CONTRACTS) - set(proposal.datasets) if proposal.draft.left_out else ())}
    missing = {key for key in truth(name) if key not in mapped(proposal) and key[0] not in left_out}
    assert missing <= asked


def test_nine_of_ten_columns_are_mapped_without_a_question(proposals):
    right, found = 0, 0
    for name in NAMES:
        columns = truth(name)
        right += len(columns)
        found += sum(mapped(proposals(name)).get(key) == header for key, header in columns.items())
    assert right > 200
    assert found >= 0.9 * right


@pytest.mark.parametrize("name", NAMES)
def test_formats_and_units_are_those_of_the_export(proposals, name):
    settings = proposals(name).draft.settings
    expected = SHAPES[name].settings
    assert {place: get(settings, place) for place in expected} == expected
    assert settings.get("date_formats", []) == expected.get(("date_formats",), [])


@pytest.mark.parametrize("name", NAMES)
def test_the_file_that_is_written_has_exactly_the_proposed_settings(proposals, name, tmp_path):
    proposal = proposals(name)
    path = tmp_path / "sources.yaml"
    path.write_text(sources_yaml(proposal), encoding="utf-8")
    sources = load(path, Sources)
    assert list(sources.datasets) == [dataset for dataset in proposal.datasets if dataset not in proposal.incomplete]
    for dataset in sources.datasets:
        assert sources.of(dataset) == type(sources.of(dataset)).model_validate(
            proposal.draft.settings["datasets"][dataset]
        )
    assert sources.date_formats == proposal.draft.settings.get("date_formats", [])


def test_the_export_of_a_system_with_a_preset_is_recognized(proposals):
    assert proposals("Stripe-like").preset == "stripe"


@pytest.mark.slow
@pytest.mark.parametrize("name", [name for name in NAMES if name != "wide months"])
def test_the_program_reads_the_rows_that_the_company_has(proposals, name, tmp_path):
    """With the proposed rules and without a change by hand, every row is kept, with its price and dates."""
    proposal = proposals(name)
    copy_rules(tmp_path / "rules", None, sources=sources_yaml(proposal))
    tables = read_datasets(proposals.folder(name), tmp_path / "rules", tmp_path / "home")
    expected = company(seats="seat" in name or "Chargebee" in name)
    assert rows(tables["subscriptions"], *PERIOD) == sorted(
        tuple(plain_value(row[column]) for column in PERIOD) for row in expected.subscriptions
    )
    assert rows(tables["customers"], "customer_id", "signup_date") == sorted(
        (row["customer_id"], row["signup_date"].isoformat()) for row in expected.customers
    )
    if "transactions" in mapped_datasets(proposal):
        paid = ("customer_id", "transaction_date", "amount", "status")
        assert rows(tables["transactions"], *paid) == sorted(
            tuple(plain_value(row[column]) for column in paid) for row in expected.transactions
        )


PERIOD = ("subscription_id", "customer_id", "start_date", "monthly_price")


def plain_value(value: object) -> object:
    """As `rows` of the builders gives it."""
    return value.isoformat() if isinstance(value, dt.date) else float(value) if isinstance(value, Decimal) else value


def mapped_datasets(proposal: Proposal) -> set[str]:
    return {dataset for dataset, _column in mapped(proposal)}


def read_datasets(folder: Path, rules_folder: Path, home: Path) -> dict[str, ir.Table]:
    """The kept rows of each dataset, as a run reads them; fails if a row is rejected."""
    settings, rules = Settings(data_dir=folder, rules_dir=rules_folder, home=home), read_rules(rules_folder)
    backend = in_memory(FileAccess(folders=(folder, home)))
    tables: dict[str, ir.Table] = {}
    for name, schema in CONTRACTS.items():
        parents = [
            source_assets._parent(column, parent, tables) for column, parent in schema.metadata["parents"].items()
        ]
        location = locate(name, settings, rules)
        kept, rejects, _rows_in = source_assets.split(backend, schema, location, settings, rules, parents)
        for table, rows_of_it in {name: kept, f"{name}_rejects": rejects}.items():
            fill(backend, table, rows_of_it)
            tables[table] = backend.table(table)
        assert rows(tables[f"{name}_rejects"], "column_name", "check_name", "value") == []
    return tables


# --- doubts --------------------------------------------------------------------------------------

CUSTOMERS = "customer_id,signup_date\n" + "".join(f"c{n},2024-01-{n + 1:02}\n" for n in range(9))
HEADER = "subscription_id,customer_id,status,start_date,{price}\n"


def subscriptions(price: str, values: list[object], more: str = "", status: str = "Active") -> str:
    """Nine subscriptions since the start of 2024 with these prices in turn."""
    rows = [f"s{n},c{n},{status},2024-02-{n + 1:02},{values[n % len(values)]}" for n in range(9)]
    return HEADER.format(price=price) + "\n".join(rows) + more + "\n"


def payments(amounts: list[object], header: str = "amount") -> str:
    """A payment of each of the nine subscriptions in each of six months."""
    rows = [
        f"c{n},s{n},{amounts[n % len(amounts)]},Success,2024-{2 + month:02}-{n + 1:02}"
        for n in range(9)
        for month in range(6)
    ]
    return f"customer_id,subscription_id,{header},status,transaction_date\n" + "\n".join(rows) + "\n"


PRICE = ("datasets", "subscriptions", "columns", "monthly_price")


def test_days_that_fit_two_formats_are_asked_about(tmp_path):
    lines = "".join(f"c{n},{n + 1:02}/0{n % 3 + 1}/2024\n" for n in range(9))
    proposal = propose(write(tmp_path, customers="customer_id,signup_date\n" + lines))
    decision = question(proposal, "date_formats")
    assert [choice.label for choice in decision.choices] == ["%d/%m/%Y", "%m/%d/%Y"]
    assert decision.proposed is None and "date_formats" not in proposal.draft.settings


def test_one_value_does_not_decide_between_two_formats(tmp_path):
    lines = "".join(f"c{n},{n + 1:02}/0{n % 3 + 1}/2024\n" for n in range(9)) + "c9,13/01/2024\n"
    proposal = propose(write(tmp_path, customers="customer_id,signup_date\n" + lines))
    assert question(proposal, "date_formats")


def test_days_of_one_file_are_not_read_in_the_format_of_another_file_without_asking(tmp_path):
    scores = "customer_id,date,score\n" + "".join(f"c{n},{n + 1:02}/0{n % 3 + 1}/2024,9\n" for n in range(9))
    days = "".join(f"c{n},{n % 3 + 1:02}/{n + 13}/2024\n" for n in range(9))
    proposal = propose(write(tmp_path, customers="customer_id,signup_date\n" + days, nps=scores))
    assert proposal.draft.settings["date_formats"] == ["%m/%d/%Y"]
    assert proposal.incomplete == {"nps_scores": ("date",)}
    assert "as those of other files?" in question(proposal, "datasets", "nps_scores", "columns", "date").question


def test_two_columns_that_may_both_be_it_are_asked_about(tmp_path):
    text = (
        subscriptions("monthly_price", [49])
        .replace("start_date", "created_at,activated_at")
        .replace(",2024-02-0", ",2024-01-01,2024-02-0")
    )
    proposal = propose(write(tmp_path, customers=CUSTOMERS, subscriptions=text))
    decision = question(proposal, "datasets", "subscriptions", "columns", "start_date")
    assert [choice.label for choice in decision.choices] == ["created_at", "activated_at"]
    assert ("subscriptions", "start_date") not in mapped(proposal)


def test_a_misspelled_name_is_a_question_with_a_proposal(tmp_path):
    text = subscriptions("monthly_price", [49]).replace("start_date", "strat_date")
    proposal = propose(write(tmp_path, customers=CUSTOMERS, subscriptions=text))
    decision = question(proposal, "datasets", "subscriptions", "columns", "start_date")
    assert decision.choices[decision.proposed].label == "strat_date"
    assert ("subscriptions", "start_date") not in mapped(proposal)


def test_the_end_of_the_current_term_is_no_end(tmp_path):
    text = (
        subscriptions("monthly_price", [49])
        .replace("\n", ",2024-12-31\n")
        .replace("monthly_price,2024-12-31", "monthly_price,current_term_end")
    )
    proposal = propose(write(tmp_path, customers=CUSTOMERS, subscriptions=text))
    assert ("subscriptions", "end_date") not in mapped(proposal)


def test_a_price_whose_name_says_no_time_is_left_out_without_payments(tmp_path):
    proposal = propose(write(tmp_path, customers=CUSTOMERS, subscriptions=subscriptions("price", [49, 129])))
    assert PRICE[1::2] not in mapped(proposal)
    assert question(proposal, *PRICE).proposed is None


def test_payments_show_that_a_price_is_per_month(tmp_path):
    folder = write(
        tmp_path, customers=CUSTOMERS, subscriptions=subscriptions("price", [49, 129]), payments=payments([49, 129])
    )
    assert mapped(propose(folder))["subscriptions", "monthly_price"] == "price"


def test_payments_with_tax_show_it_too(tmp_path):
    folder = write(
        tmp_path,
        customers=CUSTOMERS,
        subscriptions=subscriptions("price", [49, 129]),
        payments=payments([58.31, 153.51]),
    )
    assert mapped(propose(folder))["subscriptions", "monthly_price"] == "price"


@pytest.mark.parametrize("header", ["mrr", "price_per_month"])
def test_a_name_that_the_payments_contradict_is_a_question(tmp_path, header):
    text = subscriptions(header, [588, 1548])
    proposal = propose(write(tmp_path, customers=CUSTOMERS, subscriptions=text, payments=payments([49, 129])))
    assert ("subscriptions", "monthly_price") not in mapped(proposal)
    assert question(proposal, *PRICE).proposed is None


def test_our_own_name_is_doubted_too(tmp_path):
    text = subscriptions("monthly_price", [588, 1548])
    proposal = propose(write(tmp_path, customers=CUSTOMERS, subscriptions=text, payments=payments([49, 129])))
    assert "Until it is decided, 'monthly_price' is read by its name." in question(proposal, *PRICE).question


def test_whole_numbers_that_may_be_cents_are_asked_about(tmp_path):
    text = subscriptions("monthly_price", [4900, 12900])
    proposal = propose(write(tmp_path, customers=CUSTOMERS, subscriptions=text, payments=payments([4900, 12900])))
    assert "in cents?" in question(proposal, *PRICE).question


def test_payments_in_whole_units_show_that_prices_are_not_in_cents(tmp_path):
    text = subscriptions("monthly_price", [4900, 12900])
    proposal = propose(
        write(tmp_path, customers=CUSTOMERS, subscriptions=text, payments=payments(["4900.00", "12900.00"]))
    )
    assert mapped(proposal)["subscriptions", "monthly_price"] == "monthly_price"


@pytest.mark.parametrize(("header", "price", "is_mapped"), [("mrr", "49.00", True), ("mrr_cents", "4900", False)])
def test_a_row_per_month_is_a_shape_whose_price_is_in_whole_units(tmp_path, header, price, is_mapped):
    rows_per_month = "".join(f"c{number},2026-0{month},{price}\n" for number in (1, 2) for month in (1, 2, 3))
    text = f"customer_id,month,{header}\n{rows_per_month}"
    proposal = propose(write(tmp_path, customers=CUSTOMERS, mrr_by_month=text))
    assert (("subscriptions", "monthly_price") in mapped(proposal)) == is_mapped
    if is_mapped:
        shape = {"kind": "monthly_snapshots", "month": "month"}
        assert get(proposal.draft.settings, ("datasets", "subscriptions", "shape")) == shape
    else:
        assert "is in cents, and a shape reads prices in whole units" in question(proposal, *PRICE).question


def test_a_point_that_may_be_for_thousands_is_asked_about(tmp_path):
    text = subscriptions("monthly_price", ["1.490", "2.990", "1.290"])
    proposal = propose(write(tmp_path, customers=CUSTOMERS, subscriptions=text))
    decision = question(proposal, "datasets", "subscriptions", "number_format")
    assert [choice.label for choice in decision.choices][:2] == ["1234.50", "1.234,50"]
    assert "1.490" in decision.question and "number_format" not in proposal.draft.settings["datasets"]["subscriptions"]


def test_ids_of_another_system_are_not_mapped(tmp_path):
    text = subscriptions("monthly_price", [49]).replace(",c", ",crm-").replace("crm-ustomer_id", "account_id")
    proposal = propose(write(tmp_path, customers=CUSTOMERS, subscriptions=text))
    assert ("subscriptions", "customer_id") not in mapped(proposal)
    assert (
        "0% of its ids are in customers.csv"
        in question(proposal, "datasets", "subscriptions", "columns", "customer_id").choices[0].evidence
    )


def test_an_unknown_name_is_found_by_its_ids(tmp_path):
    text = subscriptions("monthly_price", [49]).replace("customer_id", "Konto")
    proposal = propose(write(tmp_path, customers=CUSTOMERS, subscriptions=text))
    assert mapped(proposal)["subscriptions", "customer_id"] == "Konto"


def test_of_two_keys_the_one_that_other_files_have_is_the_customers(tmp_path):
    lines = "".join(f"{n + 1},c{n},2024-01-{n + 1:02}\n" for n in range(9))
    folder = write(
        tmp_path,
        customers="account_id,customer_number,signup_date\n" + lines,
        subscriptions=subscriptions("monthly_price", [49]),
    )
    assert mapped(propose(folder))["customers", "customer_id"] == "customer_number"


def test_an_unknown_word_is_a_question_and_no_alias(tmp_path):
    text = (
        subscriptions("monthly_price", [49])
        .replace("s3,c3,Active", "s3,c3,Paused")
        .replace("s4,c4,Active", "s4,c4,churned")
    )
    proposal = propose(write(tmp_path, customers=CUSTOMERS, subscriptions=text))
    words = proposal.draft.settings["aliases"]["subscriptions.status"]
    assert words["churned"] == "Canceled" and "Paused" not in words
    assert [each.label for each in question(proposal, "aliases", "subscriptions.status", "Paused").choices][:2] == [
        "Active",
        "Past Due",
    ]


def test_a_header_or_a_word_cannot_add_a_setting(tmp_path):
    text = subscriptions("monthly_price", [49]).replace("start_date", '"Start\ntime_zone: Mars/Phobos # x"')
    text = text.replace("s3,c3,Active", 's3,c3,"Paused\nreporting_currency: XXX"')
    proposal = propose(write(tmp_path, customers=CUSTOMERS, subscriptions=text))
    path = tmp_path / "sources.yaml"
    path.write_text(sources_yaml(proposal))
    sources = load(path, Sources)
    assert (sources.time_zone, sources.reporting_currency) == ("UTC", "USD")


def test_no_value_of_a_column_with_names_or_ids_is_written(tmp_path):
    customers = CUSTOMERS.replace("\n", ",Ada Lovelace Ltd\n").replace(
        "signup_date,Ada Lovelace Ltd", "created,name\n".strip()
    )
    proposal = propose(
        write(tmp_path, customers=customers, subscriptions=subscriptions("price", [49]).replace(",c", ",zz"))
    )
    text = sources_yaml(proposal)
    assert "Ada" not in text and "zz1" not in text


def test_two_files_that_fit_equally_are_a_question_until_one_is_chosen(tmp_path):
    write(
        tmp_path,
        accounts_old=CUSTOMERS.replace("customer_id", "account_id"),
        accounts_new=CUSTOMERS.replace("customer_id", "account_id"),
    )
    proposal = propose(write(tmp_path, subscriptions=subscriptions("monthly_price", [49])))
    choices = question(proposal, "datasets", "customers", "file").choices
    assert [each.label for each in choices] == ["accounts_new.csv", "accounts_old.csv"]
    chosen = propose(tmp_path, {"customers": "accounts_old.csv"})
    assert chosen.draft.settings["datasets"]["customers"]["file"] == "accounts_old.csv"
    assert mapped(chosen)["customers", "customer_id"] == "account_id"


def test_files_of_one_series_are_one_pattern(tmp_path):
    text = payments([49]).splitlines(keepends=True)
    folder = write(
        tmp_path,
        customers=CUSTOMERS,
        subscriptions=subscriptions("monthly_price", [49]),
        **{"payments-2024-01": "".join(text[:20]), "payments-2024-02": text[0] + "".join(text[20:])},
    )
    assert propose(folder).draft.settings["datasets"]["transactions"]["file"] == "payments-*.csv"


def test_an_optional_dataset_without_a_required_column_is_not_read(tmp_path):
    text = "customer_id,date,what\n" + "".join(f"c{n},2024-03-0{n + 1},login\n" for n in range(9))
    proposal = propose(
        write(tmp_path, customers=CUSTOMERS, subscriptions=subscriptions("monthly_price", [49]), events=text)
    )
    assert proposal.incomplete == {"product_usage": ("logins", "key_actions")}
    path = tmp_path / "sources.yaml"
    path.write_text(sources_yaml(proposal))
    assert "product_usage" not in load(path, Sources).datasets


def test_a_folder_without_exports_is_refused(tmp_path):
    folder = tmp_path / "exports"
    folder.mkdir()
    (folder / "notes.md").touch()
    with raises("init.no_exports"):
        propose(folder)


# --- the vocabulary ------------------------------------------------------------------------------


def test_every_column_has_names_and_no_name_is_of_two_columns():
    for dataset, schema in CONTRACTS.items():
        names = vocabulary().datasets[dataset].columns
        assert list(names) == [column for column in schema.columns if not is_computed(schema, column)]
        owners: dict[str, set[str]] = {}
        for column, known in names.items():
            for name in (column, *known.exact, *known.usual):
                owners.setdefault(plain(name), set()).add(column)
        twice = {name: columns for name, columns in owners.items() if len(columns) > 1}
        # A product where there is a plan besides, otherwise the plan.
        assert twice == ({"product": {"plan", "product"}} if dataset == "subscriptions" else {})


def test_words_are_of_one_meaning():
    for target, meanings in vocabulary().words.items():
        owners: dict[str, set[str]] = {}
        for ours, words in meanings.items():
            for word in (ours, *words):
                owners.setdefault(plain(word), set()).add(ours)
        assert {word: found for word, found in owners.items() if len(found) > 1} == {}, target


def test_the_strength_of_a_name_is_the_confidence(tmp_path):
    write(tmp_path, accounts="account_id,created,name\na,2024-01-01,X\nb,2024-01-02,Y\n")
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    found = read_folder(tmp_path, in_memory(FileAccess(folders=(tmp_path,))), scratch)
    matches = match_columns(found.exports[0], "customers")
    assert {column: match.confidence for column, match in matches.items() if match.candidates} == {
        "customer_id": Confidence.CERTAIN,
        "signup_date": Confidence.LIKELY,
        "company_name": Confidence.LIKELY,
    }

"""A small lender's files, one row or two in each of the sixteen tables, as CSV text."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import polars as pl

from warehouse.engines import session
from warehouse.load import LoadReport, load

TODAY = dt.date(2024, 6, 1)

FILES = {
    "customers": """customer_id,region,industry,income_band,preferred_channel,is_vulnerable
C1,North,retail,high,sms,false
C2,South,,,,yes
""",
    "loans": """loan_id,customer_id,product,originated_on,principal_amount,annual_rate,term_months,\
risk_grade,score,is_secured,collateral_amount
L1,C1,cash loan,2024-01-10,1000.00,0.18,12,A,640.5,0,
L2,C2,cash loan,2024-01-20,2500.5,0.2,24,B,,1,3000
L3,,card,,,,,,,,
""",
    "loan_months": """loan_id,month,days_past_due,months_past_due,balance_amount,overdue_amount,\
scheduled_amount,paid_amount,status,is_restructured,risk_grade,score
L1,2024-01-31,0,0,1000.00,0,0,0,open,false,A,640.5
L1,2024-02-29,20,1,1000.00,90.5,90.5,0,open,false,A,610
L1,2024-03-31,0,0,820.00,0,90.5,181,open,true,,
L2,2024-01-31,0,0,2500.50,0,0,0,open,,,
L2,2024-02-29,0,0,0,0,0,2500.5,paid_off,,,
L3,2024-02-29,5,1,-3.10,0,,,open,,,
L3,2024-03-31,36,2,-3.10,0,,,open,,,
""",
    "agencies": """agency_id,name,commission_rate,contract_from_on,contract_to_on,listed_from_on,\
listed_to_on
A1,Swift Recovery,0.25,2023-01-01,2025-12-31,2023-01-01,
""",
    "collectors": """collector_id,team,agency_id,hired_on,monthly_cost_amount,hours_per_month
K1,early,,2022-05-01,5200,160
K2,late,A1,,,
""",
    "cases": """case_id,loan_id,episode_id,collector_id,team,agency_id,opened_on,closed_on,\
opening_days_past_due,placed_amount,placed_balance_amount,strategy,trial_arm,close_reason,\
delinquency_reason
S1,L1,E1,K1,early,,2024-02-10,2024-03-20,1,90.50,1000,soft,,cured,forgot
S2,L3,,,,A1,2024-02-25,,1,12,,,,,
""",
    "contacts": """contact_id,loan_id,case_id,direction,channel,collector_id,contacted_at,\
contact_point,party,outcome,duration_seconds,cost_amount,is_recorded,has_consent
T1,L1,S1,outbound,call,K1,2024-02-12 09:30:00,h1,debtor,promise,120,1.25,true,true
T2,L3,,outbound,sms,,2024-02-24T08:00:00,,unknown,delivered,,0.05,,
""",
    "promises": """promise_id,case_id,contact_id,promised_on,due_on,promised_amount,is_written,\
cancelled_on
P1,S1,T1,2024-02-12,2030-02-20,90.5,1,
""",
    "plans": """plan_id,loan_id,case_id,kind,agreed_on,plan_amount,ended_on,end_reason
N1,L1,S1,restructure,2024-03-05,820,,
""",
    "payments": """payment_id,loan_id,case_id,paid_on,amount,source
Y1,L1,S1,2024-03-15,181,collector
Y2,L2,,2024-02-20,2500.5,
""",
    "legal_actions": """action_id,case_id,action,acted_on,fee_amount,proceeds_amount,\
appraised_amount
G1,S2,formal_letter,2024-03-30,15,,
""",
    "complaints": """complaint_id,customer_id,case_id,contact_id,received_at,intake,category,grade,\
acknowledged_at,responded_at,resolved_at,outcome,deadline_class,appealed_at,appeal_outcome,\
compensation_amount
M1,C1,S1,T1,2024-02-13 10:00,hotline,frequency,3,,,2024-02-20 10:00,upheld,normal,,,10
""",
    "surveys": """survey_id,customer_id,case_id,surveyed_on,satisfaction
V1,C1,S1,2024-03-22,4
""",
    "costs": """month,kind,team,channel,amount,is_one_off
2024-02-29,labour,early,,5200,false
2024-02-29,telecom,,sms,12.30,
""",
    "events": """event_id,occurred_on,kind,collector_id,agency_id,is_passed
X1,2024-02-01,training,K1,,true
""",
    "ledger_totals": """month,product,measure,amount
2024-02-29,card,balance,-3.10
""",
}


def write(folder: Path, **files: str | bytes) -> Path:
    """Files into a folder by table name (CSV) or by a name with a double underscore for a dot."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in files.items():
        path = folder / (name.replace("__", ".") if "__" in name else f"{name}.csv")
        path.write_bytes(content.encode() if isinstance(content, str) else content)
    return folder


def take(folder: Path, url: str, **options: object) -> LoadReport:
    """Load a folder as of TODAY, silently, with its reports beside it."""
    options = {"today": TODAY, "progress": lambda _: None, "reports": folder.parent / "reports"} | (
        options
    )
    return load(folder, url=url, **options)


def fingerprint(url: str) -> dict[str, list[str]]:
    """Every row of every table of the warehouse, in an order of its own."""
    import sqlalchemy as sa

    with session(url) as facts:
        return {
            name: sorted(
                map(str, facts.fetch(sa.select(sa.text("*")).select_from(sa.table(name))).rows())
            )
            for name in sorted(facts.tables())
        }


def column(url: str, table: str, name: str) -> list[object]:
    import sqlalchemy as sa

    with session(url) as facts:
        frame: pl.DataFrame = facts.fetch(
            sa.select(sa.column(name)).select_from(sa.table(table)).order_by(sa.column(name))
        )
    return frame[name].to_list()

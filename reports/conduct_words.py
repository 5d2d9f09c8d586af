"""What the auditor's report says of itself: its method, in words."""

from __future__ import annotations

NO_ADVICE = (
    "This report is not legal advice. It says what the contact log of the warehouse shows, held"
    " against the rules as their pack writes them; whether a rule applies, and whether a contact"
    " broke the law, is for a lawyer to say."
)

METHOD = (
    "What is judged. An attempt is an outbound contact by any channel, whether or not it reached"
    " anybody; inbound contacts never count. Each attempt of the month is held against each rule,"
    " with the days before it that the rule looks back to. Days and hours are those that were"
    " recorded, on the debtor's clock.",
    "Breach. An attempt that breaks a rule, made while the rule was in force (its first day is in"
    " the sheet Rules). Attempts before that day are counted apart and are no breaches. A contact"
    " that breaks two rules is counted under both.",
    "Near miss. A permitted attempt one step from a breach: it used a cap's last place, came on"
    " the first day after a conversation's days, within 15 minutes of quiet hours, or to a third"
    " party after just as many failures as are asked for. Rules of lists have none.",
    "Boundaries. The first second of quiet hours is out and their last moment is in: where they"
    " are 22:00 to 08:00, 22:00:00 is a breach and 08:00:00 is not. Seven days are seven"
    " consecutive days, not a calendar week. The day of a conversation is day 1.",
    "Consent. Where a rule allows contact with the debtor's consent, an attempt is excused only if"
    " the consent is recorded as given; consent that is not recorded excuses nothing.",
    "Owner. A contact is its collector's. The agency is the collector's, else the case's; the team"
    " is the case's where its own collector made the contact, else the collector's.",
    "Rates. Breaches per 1,000 attempts made while the rule was in force, all channels together."
    " The interval is the exact Poisson one of 95 % (Garwood 1936). It is too short where breaches"
    " come in clusters, as in one bad campaign; without attempts there is no rate.",
    "Coverage. Connected: calls, also automated ones, with an outcome other than no answer and"
    " invalid. Complete: contact point, case (where the loan had one open; a reminder before"
    " lateness has none) and, of a connected call, duration are recorded, and a person is named"
    " where a person must have made the contact.",
    "Complaints. As they stood at the end of the month. Within the deadline: of the complaints that"
    " fell due in the month (not: were received in it), those dealt with on their due day or"
    " before, with Wilson's interval of 95 %. Overdue stock: all that was open past its due day at"
    " the month's end. Working days are Monday to Friday, but for the holidays and worked weekend"
    " days of the lender's calendar; the sheet Complaints says how many it knows.",
    "Evidence. The latest breaches of each rule, each with the earlier contacts that make it one:"
    " `this` is the contact that breaks the rule, `before` are those it counts. Rows are read from"
    " the warehouse when the report is made; counts are those of the published marts, and both are"
    " held against each other in the sheet Breaches. Ids and codes only: no name, number or"
    " address of anybody.",
    "Scope. The whole book, whatever filter a page shows. An empty cell (a dash on paper) is what"
    " is not recorded or does not apply.",
)

FINGERPRINT = (
    "The same warehouse, month and rule packs give the same fingerprint, whenever and wherever the"
    " report is made; the same published version also gives the same file, byte for byte. The"
    " fingerprint is the SHA-256 of the list below as CSV (sheet, table, rows, sha256, one line"
    " each), followed by the SHA-256 of each rule pack; a table's own is that of its rows as CSV.",
)

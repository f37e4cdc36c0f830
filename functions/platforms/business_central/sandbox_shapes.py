"""The fields of API v2.0 this sandbox knows, entity by entity.

A field is a line ``name kind``: ``code:20`` and ``text:100`` hold at most so many characters, an
``enum`` one of its words. A ``!`` marks what a caller may not set, a ``?`` what belongs to the
record once it is made.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Any

ZERO = "00000000-0000-0000-0000-000000000000"
NO_DATE = "0001-01-01"
BLANKS: dict[str, Any] = {
    "guid": ZERO,
    "code": "",
    "text": "",
    "date": NO_DATE,
    "moment": f"{NO_DATE}T00:00:00Z",
    "decimal": Decimal(0),
    "int": 0,
    "bool": False,
}


@dataclass(frozen=True)
class Field:
    """One property: its kind, its bounds, and who may set it."""

    name: str
    kind: str
    size: int = 0
    choices: tuple[str, ...] = ()
    is_fixed: bool = False
    is_final: bool = False

    @property
    def blank(self) -> Any:
        """What stands for nothing."""
        return self.choices[0] if self.kind == "enum" else BLANKS[self.kind]


def _field(text: str) -> Field:
    name, _, rest = text.strip().partition(" ")
    kind, _, more = rest.rstrip("!?").partition(":")
    choices = tuple(more.split("|")) if kind == "enum" else ()
    size = int(more) if more and kind != "enum" else 0
    return Field(name, kind, size, choices, rest.endswith("!"), rest.endswith("?"))


def fields(text: str) -> dict[str, Field]:
    """The fields of an entity, by name."""
    found = [_field(line) for line in text.strip().splitlines() if line.strip()]
    return {one.name: one for one in found}


STAMP = "\nlastModifiedDateTime moment!"
CODED = "id guid?\ncode code:10\ndisplayName text:100" + STAMP
ADDRESS = "addressLine1 text:100\naddressLine2 text:50\ncity text:30\nstate text:30\n"
ADDRESS += "country code:10\npostalCode code:20\nphoneNumber text:30\n"
LINE_TYPES = "Comment|Account|Item|Resource|Fixed Asset|Charge"


def _party(side: str, mark: str = "") -> str:
    parts = {"AddressLine1": "text:100", "AddressLine2": "text:50", "City": "text:30"}
    parts |= {"Country": "code:10", "State": "text:30", "PostCode": "code:20"}
    return "".join(f"{side}{name} {kind}{mark}\n" for name, kind in parts.items())


def _customer(named: str = "") -> str:
    return f"""customerId guid
customerNumber code:20
customerName text:100{named}
billToName text:100!
billToCustomerId guid
billToCustomerNumber code:20
"""


def _ship_to() -> str:
    return "shipToName text:100\nshipToContact text:100\n"


TERMS = """currencyId guid
currencyCode code:10
paymentTermsId guid
shipmentMethodId guid
salesperson code:20
shortcutDimension1Code code:20
shortcutDimension2Code code:20
pricesIncludeTax bool
discountAmount decimal
discountAppliedBeforeTax bool!
totalAmountExcludingTax decimal!
totalTaxAmount decimal!
totalAmountIncludingTax decimal!
phoneNumber text:30
email text:80"""

LINE = f"""id guid!
documentId guid?
sequence int?
itemId guid
accountId guid
lineType enum:{LINE_TYPES}?
lineObjectNumber code:20?
description text:100
description2 text:50
unitOfMeasureId guid
unitOfMeasureCode code:10
quantity decimal
unitPrice decimal
discountAmount decimal
discountPercent decimal
discountAppliedBeforeTax bool!
amountExcludingTax decimal!
taxCode code:20
taxPercent decimal!
totalTaxAmount decimal!
amountIncludingTax decimal!
invoiceDiscountAllocation decimal!
netAmount decimal!
netTaxAmount decimal!
netAmountIncludingTax decimal!
shipmentDate date
itemVariantId guid
locationId guid"""

ORDER = f"""id guid!
number code:20!
externalDocumentNumber code:35
orderDate date
postingDate date
{_customer("!")}{_ship_to()}{_party("sellTo")}{_party("billTo", "!")}{_party("shipTo")}{TERMS}
partialShipping bool
requestedDeliveryDate date
fullyShipped bool!
status enum:Draft|In Review|Open!{STAMP}"""

INVOICE = f"""id guid!
number code:20
externalDocumentNumber code:35
invoiceDate date
postingDate date
dueDate date
promisedPayDate date
customerPurchaseOrderReference text:35
{_customer()}{_ship_to()}{_party("sellTo")}{_party("billTo", "!")}{_party("shipTo")}{TERMS}
orderId guid!
orderNumber code:20!
disputeStatusId guid
disputeStatus code:10
remainingAmount decimal!
status enum: |Draft|In Review|Open|Paid|Canceled|Corrective!{STAMP}"""

CREDIT = f"""id guid!
number code:20
externalDocumentNumber code:35
creditMemoDate date
postingDate date
dueDate date
{_customer("!")}{_party("sellTo")}{_party("billTo", "!")}{TERMS}
status enum: |Draft|In Review|Open|Canceled|Corrective|Paid!
invoiceId guid
invoiceNumber code:20
customerReturnReasonId guid{STAMP}"""

SHIPMENT = f"""id guid!
number code:20!
externalDocumentNumber code:35!
invoiceDate date!
postingDate date!
dueDate date!
customerPurchaseOrderReference text:35!
{_customer("!")}{_ship_to()}{_party("sellTo")}{_party("billTo")}{_party("shipTo")}
currencyCode code:10!
orderNumber code:20!
paymentTermsCode code:10!
shipmentMethodCode code:10!
salesperson code:20!
pricesIncludeTax bool!{STAMP}
phoneNumber text:30!
email text:80!"""

SHIPMENT_LINE = f"""id guid!
documentId guid!
documentNo code:20!
sequence int!
lineType enum:{LINE_TYPES}!
lineObjectNumber code:20!
description text:100!
description2 text:50!
unitOfMeasureCode code:10!
unitPrice decimal!
quantity decimal!
discountPercent decimal!
taxPercent decimal!
shipmentDate date!"""

CUSTOMER = f"""id guid?
number code:20
displayName text:100
type enum:Company|Person
{ADDRESS}email text:80
website text:80
salespersonCode code:20
balanceDue decimal!
creditLimit decimal
taxLiable bool
taxAreaId guid
taxAreaDisplayName text:100!
taxRegistrationNumber text:20
currencyId guid
currencyCode code:10
paymentTermsId guid
shipmentMethodId guid
paymentMethodId guid
blocked enum: |Ship|Invoice|All{STAMP}"""

CONTACT = f"""id guid?
number code:20
type enum:Company|Person
displayName text:100
jobTitle text:30
companyNumber code:20
companyName text:100!
contactBusinessRelation enum:None|Customer|Vendor|Bank Account|Employee|Multiple!
{ADDRESS}mobilePhoneNumber text:30
email text:80
website text:80
searchName code:100
privacyBlocked bool
taxRegistrationNumber text:20
lastInteractionDate date!{STAMP}"""

ITEM = f"""id guid?
number code:20
displayName text:100
displayName2 text:50
type enum:Inventory|Service|Non-Inventory
itemCategoryId guid
itemCategoryCode code:20
blocked bool
gtin code:14
inventory decimal
unitPrice decimal
priceIncludesTax bool
unitCost decimal
taxGroupId guid
taxGroupCode code:20
baseUnitOfMeasureId guid
baseUnitOfMeasureCode code:10
generalProductPostingGroupId guid
generalProductPostingGroupCode code:20
inventoryPostingGroupId guid
inventoryPostingGroupCode code:20{STAMP}"""

LEDGER = f"""id guid!
entryNumber int!
itemNumber code:20!
postingDate date!
entryType enum:Purchase|Sale|Positive Adjmt.|Negative Adjmt.|Transfer!
sourceNumber code:20!
sourceType enum: |Customer|Vendor|Item!
documentNumber code:20!
documentType enum: |Sales Shipment|Sales Invoice|Sales Return Receipt|Sales Credit Memo!
description text:100!
quantity decimal!
salesAmountActual decimal!
costAmountActual decimal!{STAMP}"""

JOURNAL = "id guid?\ncode code:10\ndisplayName text:100\ntemplateDisplayName code:10!" + STAMP
BALANCED = "\nbalancingAccountId guid\nbalancingAccountNumber code:20!"
PAYMENT_JOURNAL = f"id guid?\ncode code:10\ndisplayName text:100{STAMP}{BALANCED}"
ENTRY = """id guid!
journalId guid?
journalDisplayName code:10!
lineNumber int
"""
PAYMENT = f"""{ENTRY}customerId guid
customerNumber code:20
postingDate date
documentNumber code:20
externalDocumentNumber code:35
amount decimal
appliesToInvoiceId guid
appliesToInvoiceNumber code:20
description text:100
comment text:250{STAMP}"""
ACCOUNT_TYPES = "G/L Account|Customer|Vendor|Bank Account|Fixed Asset|IC Partner|Employee"
JOURNAL_LINE = f"""{ENTRY}accountType enum:{ACCOUNT_TYPES}
accountId guid
accountNumber code:20
postingDate date
documentNumber code:20
externalDocumentNumber code:35
amount decimal
description text:100
comment text:250
taxCode code:20
balanceAccountType enum:{ACCOUNT_TYPES}
balancingAccountId guid
balancingAccountNumber code:20{STAMP}"""

COMPANY = """id guid!
systemVersion text!
timestamp int!
name text!
displayName text!
businessProfileId text!
systemCreatedAt moment!
systemCreatedBy guid!
systemModifiedAt moment!
systemModifiedBy guid!"""
INFORMATION = f"""id guid!
displayName text:100
{ADDRESS}faxNumber text:30
email text:80
website text:80
taxRegistrationNumber text:20
currencyCode code:10
currentFiscalYearStartDate date!
industry text:30
experience text:30{STAMP}"""
SUBSCRIPTION = """subscriptionId text!
notificationUrl text:2048
resource text:2048?
timestamp int!
userId guid!
lastModifiedDateTime moment!
clientState text:2048
expirationDateTime moment!
systemCreatedAt moment!
systemCreatedBy guid!
systemModifiedAt moment!
systemModifiedBy guid!"""
TAXED = "id guid?\ncode code:20\ndisplayName text:100\ntaxType enum:Sales Tax|VAT!" + STAMP
LOCATION = f"id guid?\ncode code:10\ndisplayName text:100\ncontact text:100\n{ADDRESS}email text:80"
CURRENCY = f"{CODED}\nsymbol text:10\namountDecimalPlaces text:5\namountRoundingPrecision decimal"
RATE = f"""id guid!
currencyCode code:10!
startingDate date!
exchangeRateAmount decimal!
relationalCurrencyCode code:10!
relationalExchangeRateAmount decimal!{STAMP}"""
TERM = f"""{CODED}
dueDateCalculation text:32
discountDateCalculation text:32
discountPercent decimal
calculateDiscountOnCreditMemos bool"""
UNIT = f"{CODED}\ninternationalStandardCode code:10\nsymbol text:10"
VARIANT = f"id guid?\nitemId guid\nitemNumber code:20\ncode code:10\ndescription text:100{STAMP}"
ACCOUNT = f"""id guid?
number code:20
displayName text:100
category enum: |Assets|Liabilities|Equity|Income|Cost of Goods Sold|Expense
subCategory text:80
blocked bool
accountType enum:Posting|Heading|Total|Begin-Total|End-Total
directPosting bool
netChange decimal!{STAMP}"""
FINANCIAL = f"""id guid!
number code:20!
balance decimal!
totalSalesExcludingTax decimal!
overdueAmount decimal!{STAMP}"""
POSTING_GROUP = f"id guid!\ncode code:20!\ndescription text:100!{STAMP}"
PRODUCT_GROUP = f"{POSTING_GROUP}\ndefaultVATProductPostingGroup code:20!\nautoInsertDefault bool!"

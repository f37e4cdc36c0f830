"""The Webservice's resources: their fields in the vendor's order, and what each field takes.

A field reads ``name:format>link`` and flags: ``*`` required, ``!`` worked out at reading and so no
filter, ``@`` one text per language, ``-`` shown and never written.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

Row = dict[str, Any]

ZERO_DATE = "0000-00-00 00:00:00"
NO_PRICE = "0.000000"
_NUMBER = r"\d+"
_MONEY = r"\d{1,10}(\.\d{1,9})?"
FORMATS: dict[str, tuple[str, str]] = {
    # What a field holds when nobody wrote it, and what may be written.
    "any": ("", r"(?s).*"),
    "id": ("0", _NUMBER),
    "uint": ("0", _NUMBER),
    "int": ("0", r"-?\d+"),
    "bool": ("0", "[01]"),
    "on": ("1", "[01]"),
    "one": ("1", _NUMBER),
    "price": (NO_PRICE, _MONEY),
    "impact": (NO_PRICE, "-?" + _MONEY),
    "float": (NO_PRICE, r"-?\d+(\.\d+)?"),
    "rate": ("0.000", r"\d+(\.\d+)?"),
    "percent": ("0.00", r"\d+(\.\d+)?"),
    "factor": ("1.000000", r"\d+(\.\d+)?"),
    "date": (ZERO_DATE, r"0000-00-00 00:00:00|\d{4}-\d\d-\d\d( \d\d:\d\d:\d\d)?"),
    "day": ("0000-00-00", r"\d{4}-\d\d-\d\d"),
    "person": ("", r"[^0-9!<>,;?=+()@#\"°{}_$%:¤|]+"),
    "generic": ("", r"[^<>={}]*"),
    "catalogue": ("", r"[^<>;=#{}]*"),
    "address": ("", r"[^!<>?=+@{}_$%]*"),
    "city": ("", r"[^!<>;?=+@#\"°{}_$%]*"),
    "postcode": ("", r"[a-zA-Z 0-9-]*"),
    "phone": ("", r"[+0-9. ()/-]*"),
    "email": ("", r"[^\s@]+@[^\s@]+\.[^\s@]+"),
    "sku": ("", r"[^<>;={}]{0,64}"),
    "tracking": ("", r"[~:#,%&_=()\[\].? +\-@/a-zA-Z0-9]{0,64}"),
    "module": ("", r"[a-zA-Z0-9_-]*"),
    "reduction": ("amount", "amount|percentage"),
}
_TOKEN = re.compile(r"(\w+)(?::(\w+))?(?:>(\w+))?([*!@-]*)")


@dataclass(frozen=True)
class Field:
    """One property of a resource."""

    name: str
    format: str
    link: str
    flags: str

    @property
    def default(self) -> str:
        """What it holds when nobody wrote it."""
        return FORMATS[self.format][0]

    @property
    def is_required(self) -> bool:
        """Whether a full write without it is refused."""
        return "*" in self.flags

    @property
    def is_dynamic(self) -> bool:
        """Whether the shop works it out when it is read."""
        return "!" in self.flags

    @property
    def is_language(self) -> bool:
        """Whether it holds one text for each language."""
        return "@" in self.flags

    @property
    def is_readonly(self) -> bool:
        """Whether a body that names it is refused."""
        return "-" in self.flags

    def takes(self, value: str) -> bool:
        """Whether the shop would keep this text; blanks around a number are not taken off."""
        if value == "":
            return not self.is_required
        return re.fullmatch(FORMATS[self.format][1], value) is not None


@dataclass(frozen=True)
class Association:
    """A list of rows inside a resource."""

    name: str
    node: str
    api: str
    fields: tuple[Field, ...]


@dataclass(frozen=True)
class Resource:
    """One resource."""

    plural: str
    node: str
    fields: tuple[Field, ...]
    associations: tuple[Association, ...]
    methods: frozenset[str]

    @property
    def by_name(self) -> dict[str, Field]:
        """The fields by name."""
        return {field.name: field for field in self.fields}

    @property
    def list_node(self) -> str:
        """What encloses a list; the slip's own name is singular and its list's is not."""
        return "order_slips" if self.plural == "order_slip" else self.plural

    @property
    def class_name(self) -> str:
        """The class in messages about one of its fields."""
        return "".join(part.capitalize() for part in self.node.split("_"))


def _fields(text: str) -> tuple[Field, ...]:
    found = (_TOKEN.fullmatch(token) for token in text.split())
    return tuple(Field(m[1], m[2] or "any", m[3] or "", m[4]) for m in found if m)


_ROW = """id product_id>products product_attribute_id product_quantity product_name
 product_reference product_ean13 product_isbn product_upc product_price
 id_customization>customizations unit_price_tax_incl unit_price_tax_excl"""
_DATES = "date_add:date date_upd:date"
ALL = "GET HEAD POST PUT PATCH DELETE"
_TABLE: dict[str, tuple[str, str]] = {
    "addresses": (
        "address",
        f"""id_customer:id>customers id_manufacturer:id id_supplier:id id_warehouse:id
 id_country:id>countries* id_state:id>states alias:generic* company:generic lastname:person*
 firstname:person* vat_number:generic address1:address* address2:address postcode:postcode
 city:city* other phone:phone phone_mobile:phone dni deleted:bool {_DATES}""",
    ),
    "carriers": (
        "carrier",
        """deleted:bool is_module:bool id_tax_rules_group:id>tax_rule_groups! id_reference:id name*
 active:on* is_free:bool url shipping_handling:on shipping_external:bool range_behavior:bool
 shipping_method:uint max_width:uint max_height:uint max_depth:uint max_weight:float grade:uint
 external_module_name need_range:bool position:uint delay:generic@*""",
    ),
    "carts": (
        "cart",
        f"""id_address_delivery:id>addresses id_address_invoice:id>addresses
 id_currency:id>currencies* id_customer:id>customers id_guest:id id_lang:id>languages*
 id_shop_group:id id_shop:id id_carrier:id>carriers recyclable:bool gift:bool gift_message
 mobile_theme:bool delivery_option secure_key allow_seperated_package:bool {_DATES}""",
    ),
    "combinations": (
        "combination",
        """id_product:id>products* location ean13 isbn upc mpn quantity:int reference:sku
 supplier_reference:sku wholesale_price:price price:impact ecotax:price weight:float
 unit_price_impact:impact minimal_quantity:one* low_stock_threshold:int low_stock_alert:bool
 default_on:bool available_date:day""",
    ),
    "configurations": ("configuration", f"value name* id_shop_group id_shop {_DATES}"),
    "countries": (
        "country",
        """id_zone:id>zones* id_currency:id call_prefix:uint iso_code* active:bool
 contains_states:bool* need_identification_number:bool* need_zip_code:bool zip_code_format
 display_tax_label:bool* name:generic@*""",
    ),
    "currencies": (
        "currency",
        """names@ name:generic*! symbol@ iso_code* numeric_iso_code precision:int
 conversion_rate:factor* deleted:bool active:on unofficial:bool modified:bool pattern@""",
    ),
    "customer_messages": (
        "customer_message",
        """id_employee:id id_customer_thread ip_address:int message* file_name user_agent
 private:bool date_add:date date_upd:date read:bool""",
    ),
    "customer_threads": (
        "customer_thread",
        f"""id_lang:id>languages* id_shop:id id_customer:id>customers id_order:id>orders
 id_product:id>products id_contact:id>contacts* email:email token* status {_DATES}""",
    ),
    "customers": (
        "customer",
        f"""id_default_group:id>groups id_lang:id>languages newsletter_date_add:date
 ip_registration_newsletter last_passwd_gen:date- secure_key- deleted:bool passwd*
 lastname:person* firstname:person* email:email* id_gender:id birthday:day newsletter:bool
 optin:bool website company:generic siret:generic ape outstanding_allow_amount:float
 show_public_prices:bool id_risk:id max_payment_days:uint active:bool note is_guest:bool
 id_shop:id id_shop_group:id {_DATES} reset_password_token reset_password_validity:date""",
    ),
    "groups": (
        "group",
        f"""reduction:percent price_display_method:bool* show_prices:on {_DATES}
 name:generic@*""",
    ),
    "languages": (
        "language",
        """name* iso_code* locale language_code active:on is_rtl:bool date_format_lite*
 date_format_full*""",
    ),
    "messages": (
        "message",
        """id_cart:id>carts id_order:id>orders id_customer:id>customers id_employee:id message*
 private:bool date_add:date""",
    ),
    "order_carriers": (
        "order_carrier",
        """id_order:id>orders* id_carrier:id>carriers* id_order_invoice:id weight:float
 shipping_cost_tax_excl:float shipping_cost_tax_incl:float tracking_number:tracking
 date_add:date""",
    ),
    "order_cart_rules": (
        "order_cart_rule",
        """id_order:id>orders* id_cart_rule:id>cart_rules* id_order_invoice:id name* value:float*
 value_tax_excl:float* free_shipping:bool deleted:bool""",
    ),
    "order_details": (
        "order_detail",
        """id_order:id>orders* product_id:id>products product_attribute_id:id>combinations
 product_quantity_reinjected:uint group_reduction:percent discount_quantity_applied:int
 download_hash download_deadline:date id_order_invoice:id id_warehouse:id* id_shop:id*
 id_customization:id product_name:generic* product_quantity:int* product_quantity_in_stock:int
 product_quantity_return:uint product_quantity_refunded:uint product_price:price*
 reduction_percent:percent reduction_amount:price reduction_amount_tax_incl:price
 reduction_amount_tax_excl:price product_quantity_discount:float product_ean13 product_isbn
 product_upc product_mpn product_reference:sku product_supplier_reference:sku
 product_weight:float tax_computation_method:id id_tax_rules_group:int ecotax:float
 ecotax_tax_rate:rate download_nb:int unit_price_tax_incl:price unit_price_tax_excl:price
 total_price_tax_incl:price total_price_tax_excl:price total_shipping_price_tax_excl:price
 total_shipping_price_tax_incl:price purchase_supplier_price:price original_product_price:price
 original_wholesale_price:price total_refunded_tax_excl:price total_refunded_tax_incl:price""",
    ),
    "order_histories": (
        "order_history",
        """id_employee:id id_order_state:id>order_states* id_order:id>orders* date_add:date""",
    ),
    "order_invoices": (
        "order_invoice",
        """id_order:id>orders* number:uint* delivery_number:uint delivery_date:date
 total_discount_tax_excl:price total_discount_tax_incl:price total_paid_tax_excl:price
 total_paid_tax_incl:price total_products:price total_products_wt:price
 total_shipping_tax_excl:price total_shipping_tax_incl:price
 shipping_tax_computation_method:uint total_wrapping_tax_excl:price
 total_wrapping_tax_incl:price shop_address note date_add:date""",
    ),
    "order_payments": (
        "order_payment",
        """order_reference id_currency:id>currencies* amount:price* payment_method:generic
 conversion_rate:factor transaction_id card_number card_brand card_expiration card_holder
 date_add:date""",
    ),
    "order_slip": (
        "order_slip",
        f"""id_customer:id>customers* id_order:id>orders* conversion_rate:factor*
 total_products_tax_excl:float* total_products_tax_incl:float* total_shipping_tax_excl:float*
 total_shipping_tax_incl:float* amount:float shipping_cost:bool shipping_cost_amount:float
 partial:bool {_DATES} order_slip_type:uint""",
    ),
    "order_states": (
        "order_state",
        """unremovable:on delivery:bool hidden:bool send_email:bool module_name:module
 invoice:bool color logable:bool shipped:bool paid:bool pdf_delivery:bool pdf_invoice:bool
 deleted:bool name:generic@* template@""",
    ),
    "orders": (
        "order",
        f"""id_address_delivery:id>addresses* id_address_invoice:id>addresses* id_cart:id>carts*
 id_currency:id>currencies* id_lang:id>languages* id_customer:id>customers*
 id_carrier:id>carriers* current_state:id>order_states module:module* invoice_number:uint
 invoice_date:date delivery_number:uint delivery_date:date valid:bool {_DATES}
 shipping_number:tracking! note id_shop_group:id id_shop:id secure_key payment:generic*
 recyclable:bool gift:bool gift_message mobile_theme:bool total_discounts:price
 total_discounts_tax_incl:price total_discounts_tax_excl:price total_paid:price*
 total_paid_tax_incl:price total_paid_tax_excl:price total_paid_real:price*
 total_products:price* total_products_wt:price* total_shipping:price
 total_shipping_tax_incl:price total_shipping_tax_excl:price carrier_tax_rate:rate
 total_wrapping:price total_wrapping_tax_incl:price total_wrapping_tax_excl:price
 round_mode:id round_type:id conversion_rate:factor* reference""",
    ),
    "products": (
        "product",
        f"""id_manufacturer:id>manufacturers id_supplier:id>suppliers
 id_category_default:id>categories new cache_default_attribute:id id_default_image:id!
 id_default_combination:id>combinations! id_tax_rules_group:id>tax_rule_groups
 position_in_category!- manufacturer_name!- quantity!- type! id_shop_default:id reference:sku
 supplier_reference:sku location width:float height:float depth:float weight:float
 quantity_discount:bool ean13 isbn upc mpn cache_is_pack:bool cache_has_attachments:bool
 is_virtual:bool state:id additional_delivery_times:id delivery_in_stock:generic@
 delivery_out_stock:generic@ product_type on_sale:bool online_only:bool ecotax:price
 minimal_quantity:uint low_stock_threshold:int low_stock_alert:bool price:price*
 wholesale_price:price unity unit_price_ratio:float additional_shipping_cost:price
 customizable:uint text_fields:uint uploadable_files:uint active:bool redirect_type
 id_type_redirected:id available_for_order:bool available_date:day show_condition:bool
 condition show_price:bool indexed:bool visibility advanced_stock_management:bool {_DATES}
 pack_stock_type:uint meta_description:generic@ meta_keywords:generic@ meta_title:generic@
 link_rewrite@ name:catalogue@ description@ description_short@ available_now:generic@
 available_later:generic@""",
    ),
    "shop_groups": (
        "shop_group",
        """name* color share_customer:bool share_order:bool share_stock:bool active:on
 deleted:bool""",
    ),
    "shops": (
        "shop",
        """id_shop_group:id>shop_groups* id_category:id* active:on deleted:bool name* color
 theme_name""",
    ),
    "specific_prices": (
        "specific_price",
        """id_shop_group:id id_shop:id* id_cart:id* id_product:id>products*
 id_product_attribute:id id_currency:id* id_country:id* id_group:id* id_customer:id*
 id_specific_price_rule:id price:impact* from_quantity:uint* reduction:price*
 reduction_tax:bool* reduction_type:reduction* from:date* to:date*""",
    ),
    "states": ("state", "id_zone:id>zones* id_country:id>countries* iso_code* name* active:on"),
    "stock_availables": (
        "stock_available",
        """id_product:id>products* id_product_attribute:id>combinations* id_shop:id>shops
 id_shop_group:id>shop_groups quantity:int* depends_on_stock:bool* out_of_stock:int* location""",
    ),
    "tax_rule_groups": ("tax_rule_group", f"name* active:on deleted:bool {_DATES}"),
    "tax_rules": (
        "tax_rule",
        """id_tax_rules_group:id>tax_rule_groups* id_state:id id_country:id* zipcode_from
 zipcode_to id_tax:id>taxes* behavior:uint description""",
    ),
    "taxes": ("tax", "rate:rate* active:on deleted:bool name:generic@*"),
}
_LISTS: dict[str, tuple[tuple[str, str, str, str], ...]] = {
    "carts": (
        (
            "cart_rows",
            "cart_row",
            "",
            "id_product id_product_attribute id_address_delivery id_customization quantity",
        ),
    ),
    "combinations": (
        ("product_option_values", "product_option_value", "product_option_values", "id"),
        ("images", "image", "images/products", "id"),
    ),
    "customer_threads": (("customer_messages", "customer_message", "customer_messages", "id"),),
    "customers": (("groups", "group", "groups", "id"),),
    "order_details": (("taxes", "tax", "taxes", "id"),),
    "order_slip": (
        (
            "order_slip_details",
            "order_slip_detail",
            "",
            "id id_order_detail product_quantity amount_tax_excl amount_tax_incl",
        ),
    ),
    "orders": (("order_rows", "order_row", "", _ROW),),
    "products": (
        ("categories", "category", "categories", "id"),
        ("images", "image", "images", "id"),
        ("combinations", "combination", "combinations", "id"),
        ("product_option_values", "product_option_value", "product_option_values", "id"),
        ("product_features", "product_feature", "product_features", "id id_feature_value"),
        ("tags", "tag", "tags", "id"),
        ("stock_availables", "stock_available", "stock_availables", "id id_product_attribute"),
        ("attachments", "attachment", "attachments", "id"),
        ("accessories", "product", "products", "id"),
        ("product_bundle", "product", "products", "id id_product_attribute quantity"),
    ),
}

RESOURCES: dict[str, Resource] = {
    plural: Resource(
        plural,
        node,
        _fields(fields),
        tuple(
            Association(name, item, api, _fields(inner))
            for name, item, api, inner in _LISTS.get(plural, ())
        ),
        # A stock row comes and goes with its product.
        frozenset(ALL.split()) - ({"POST", "DELETE"} if plural == "stock_availables" else set()),
    )
    for plural, (node, fields) in _TABLE.items()
}


def blank(resource: Resource) -> Row:
    """A row nobody wrote anything into."""
    return {field.name: field.default for field in resource.fields}

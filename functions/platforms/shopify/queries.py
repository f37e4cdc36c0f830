"""What we ask the Admin GraphQL API, renamed to the words of the webhooks.

Aliases spare a second set of wire models and a second mapping: equal content must give an equal
fingerprint, or every poll would look like a change.
"""

_SHOP = "fragment Shop on MoneyBag { shop_money: shopMoney { amount } }"
_CURRENCY = "{ shop_money: shopMoney { currency_code: currencyCode } }"
_TAX = "fragment Tax on TaxLine { title rate price: priceSet { ...Shop } }"
_ADDRESS = """
fragment Address on MailingAddress {
  first_name: firstName last_name: lastName company address1 address2 city
  province_code: provinceCode zip country_code: countryCodeV2 phone
}"""
_LINES = """
fragment Lines on LineItemConnection {
  nodes {
    id sku name quantity current_quantity: currentQuantity gift_card: isGiftCard
    variant_id: variant { id }
    sales_line_item_group_id: lineItemGroup { id }
    price: originalUnitPriceSet { ...Shop }
    properties: customAttributes { name: key value }
    discount_allocations: discountAllocations { amount: allocatedAmountSet { ...Shop } }
    tax_lines: taxLines { ...Tax }
  }
  pageInfo { hasNextPage endCursor }
}"""
_TRANSACTION = f"""
fragment Transaction on OrderTransaction {{
  id kind status gateway test created_at: createdAt processed_at: processedAt
  amount: amountSet {{ ...Shop }}
  currency: amountSet {_CURRENCY}
}}"""

ORDER = f"""
query Order($id: ID!) {{
  order(id: $id) {{
    id name email phone note test tags
    processed_at: processedAt updated_at: updatedAt
    cancelled_at: cancelledAt cancel_reason: cancelReason
    currency: currencyCode taxes_included: taxesIncluded
    financial_status: displayFinancialStatus
    source_name: sourceName po_number: poNumber customer_locale: customerLocale
    customer {{ id first_name: firstName last_name: lastName }}
    company: purchasingEntity {{
      ... on PurchasingCompany {{ id: company {{ id }} location_id: location {{ id }} }}
    }}
    billing_address: billingAddress {{ ...Address }}
    shipping_address: shippingAddress {{ ...Address }}
    payment_terms: paymentTerms {{
      payment_terms_type: paymentTermsType due_in_days: dueInDays
    }}
    note_attributes: customAttributes {{ name: key value }}
    current_total_price_set: currentTotalPriceSet {{
      shop_money: shopMoney {{ amount currency_code: currencyCode }}
      presentment_money: presentmentMoney {{ amount currency_code: currencyCode }}
    }}
    current_total_tax: currentTotalTaxSet {{ ...Shop }}
    current_total_discounts: currentTotalDiscountsSet {{ ...Shop }}
    current_total_duties_set: currentTotalDutiesSet {{ ...Shop }}
    current_total_additional_fees_set: currentTotalAdditionalFeesSet {{ ...Shop }}
    line_items: lineItems(first: 100) {{ ...Lines }}
    shipping_lines: shippingLines(first: 10) {{
      nodes {{
        id title
        price: originalPriceSet {{ ...Shop }}
        discounted_price: discountedPriceSet {{ ...Shop }}
        current_discounted_price_set: currentDiscountedPriceSet {{ ...Shop }}
        is_removed: isRemoved
        tax_lines: taxLines {{ ...Tax }}
      }}
    }}
    refunds: refundDiscrepancySet {{ ...Shop }}
    fulfillments(first: 1) {{ id }}
    returns: returnStatus
  }}
}}
{_SHOP}
{_TAX}
{_ADDRESS}
{_LINES}
"""

MORE_LINES = f"""
query MoreLines($id: ID!, $after: String!) {{
  order(id: $id) {{
    updated_at: updatedAt
    line_items: lineItems(first: 100, after: $after) {{ ...Lines }}
  }}
}}
{_SHOP}
{_TAX}
{_LINES}
"""

MONEY = f"""
query Money($id: ID!) {{
  order(id: $id) {{
    transactions(first: 100) {{ ...Transaction }}
    refunds(first: 20) {{
      id note created_at: createdAt processed_at: processedAt
      total_duties_set: totalRefundedSet {_CURRENCY}
      refund_line_items: refundLineItems(first: 100) {{
        nodes {{
          line_item_id: lineItem {{ id }}
          quantity
          restock_type: restockType
          subtotal: subtotalSet {{ ...Shop }}
          total_tax: totalTaxSet {{ ...Shop }}
        }}
        pageInfo {{ hasNextPage }}
      }}
      transactions(first: 20) {{ nodes {{ ...Transaction }} }}
    }}
  }}
}}
{_SHOP}
{_TRANSACTION}
"""

FULFILLMENTS = """
query Fulfillments($id: ID!) {
  order(id: $id) {
    fulfillments(first: 100) {
      id name status shipment_status: displayStatus
      created_at: createdAt updated_at: updatedAt
      tracking_company: trackingInfo(first: 1) { company }
      tracking_numbers: trackingInfo { number }
      tracking_url: trackingInfo(first: 1) { url }
      line_items: fulfillmentLineItems(first: 250) {
        nodes { id: lineItem { id } quantity }
        pageInfo { hasNextPage }
      }
    }
  }
}
"""

RETURNS = """
query Returns($id: ID!) {
  order(id: $id) { returns(first: 50) { nodes { id } pageInfo { hasNextPage } } }
}
"""

RETURN = """
query Return($id: ID!) {
  return(id: $id) {
    id name status closed_at: closedAt
    order { id updated_at: updatedAt }
    return_line_items: returnLineItems(first: 100) {
      nodes {
        quantity processed: processedQuantity
        reason: returnReasonDefinition { name } note: returnReasonNote
        ... on ReturnLineItem { line_item_id: fulfillmentLineItem { id: lineItem { id } } }
      }
      pageInfo { hasNextPage }
    }
  }
}
"""

_ACCOUNT = """
fragment Account on Customer {
  id first_name: firstName last_name: lastName updated_at: updatedAt
  email: defaultEmailAddress { emailAddress }
  phone: defaultPhoneNumber { phoneNumber }
  default_address: defaultAddress { id ...Address }
  addresses: addressesV2(first: 10) { nodes { id ...Address } }
}"""

CUSTOMER = f"""
query Customer($id: ID!) {{ customer(id: $id) {{ ...Account }} }}
{_ACCOUNT}
{_ADDRESS}
"""

# Whoever receives there is one name.
_OUTLET = """
fragment Outlet on CompanyLocation {
  id external_id: externalId phone locale updated_at: updatedAt
  company { id name external_id: externalId updated_at: updatedAt }
  billing_address: billingAddress { ...Place }
  shipping_address: shippingAddress { ...Place }
  tax_number: taxSettings { taxRegistrationId }
  payment_days: buyerExperienceConfiguration { paymentTermsTemplate { dueInDays } }
}
fragment Place on CompanyAddress {
  first_name: recipient company: companyName address1 address2 city
  province_code: zoneCode zip country_code: countryCode phone
}"""

COMPANY = f"""
query Company($id: ID!, $after: String) {{
  company(id: $id) {{
    locations(first: 50, after: $after) {{
      nodes {{ ...Outlet }}
      pageInfo {{ hasNextPage endCursor }}
    }}
  }}
}}
{_OUTLET}
"""

COMPANY_LOCATION = f"""
query CompanyLocation($id: ID!) {{ companyLocation(id: $id) {{ ...Outlet }} }}
{_OUTLET}
"""

_LEVELS = """
fragment Levels on InventoryLevelConnection {
  nodes {
    location { id } is_active: isActive updated_at: updatedAt
    available: quantities(names: ["available"]) { quantity }
  }
  pageInfo { hasNextPage endCursor }
}"""

# Few levels of few variants: a whole page of both may cost 1,000 points.
PRODUCT = f"""
query Product($id: ID!, $after: String) {{
  product(id: $id) {{
    id title status updated_at: updatedAt
    variants(first: 25, after: $after) {{
      nodes {{
        id sku title barcode price
        item: inventoryItem {{
          id tracked updated_at: updatedAt
          levels: inventoryLevels(first: 10) {{ ...Levels }}
        }}
      }}
      pageInfo {{ hasNextPage endCursor }}
    }}
  }}
  shop {{ currency: currencyCode taxes_included: taxesIncluded }}
}}
{_LEVELS}
"""

STOCK = f"""
query Stock($id: ID!, $after: String) {{
  inventoryItem(id: $id) {{
    id sku tracked updated_at: updatedAt
    variants(first: 10) {{ nodes {{ id }} }}
    levels: inventoryLevels(first: 50, after: $after, includeInactive: true) {{ ...Levels }}
  }}
}}
{_LEVELS}
"""


def _changed(what: str, first: int, shown: str, cursor: str = "after") -> str:
    return f"""
  {what}(first: {first}, after: ${cursor}, sortKey: UPDATED_AT, query: $changed) {{
    nodes {{ {shown} }}
    pageInfo {{ hasNextPage endCursor }}
  }}"""


CHANGED = {
    what: f"query Changed($changed: String, $after: String) {{{_changed(what, 50, 'id')}\n}}"
    for what in ("orders", "products")
}
CHANGED["customers"] = f"""
query Changed($changed: String, $after: String) {{{_changed("customers", 25, "...Account")}
}}
{_ACCOUNT}
{_ADDRESS}
"""
CHANGED["companies"] = f"""
query Changed($changed: String, $after: String, $outlets: String) {{\
{_changed("companies", 50, "id")}\
{_changed("companyLocations", 50, "...Outlet", "outlets")}
}}
{_OUTLET}
"""

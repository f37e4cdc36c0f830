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

CHANGED = """
query Changed($changed: String!, $after: String) {
  orders(first: 50, after: $after, sortKey: UPDATED_AT, query: $changed) {
    nodes { id }
    pageInfo { hasNextPage endCursor }
  }
}
"""

"""NetSuite's words for countries, by their ISO codes."""

_NAMES = """
AD andorra AE unitedArabEmirates AF afghanistan AG antiguaAndBarbuda AI anguilla AL albania
AM armenia AO angola AQ antarctica AR argentina AS americanSamoa AT austria AU australia AW aruba
AX alandIslands AZ azerbaijan BA bosniaAndHerzegovina BB barbados BD bangladesh BE belgium
BF burkinaFaso BG bulgaria BH bahrain BI burundi BJ benin BL saintBarthelemy BM bermuda
BN bruneiDarussalam BO bolivia BR brazil BS bahamas BT bhutan BV bouvetIsland BW botswana
BY belarus BZ belize CA canada CC cocosKeelingIslands CD congoDemocraticPeoplesRepublic
CF centralAfricanRepublic CG congoRepublicOf CH switzerland CI coteDIvoire CK cookIslands CL chile
CM cameroon CN china CO colombia CR costaRica CU cuba CV capeVerde CW curacao CX christmasIsland
CY cyprus CZ czechRepublic DE germany DJ djibouti DK denmark DM dominica DO dominicanRepublic
DZ algeria EC ecuador EE estonia EG egypt EH westernSahara ER eritrea ES spain ET ethiopia
FI finland FJ fiji FK falklandIslands FM micronesiaFederalStateOf FO faroeIslands FR france
GA gabon GB unitedKingdom GD grenada GE georgia GF frenchGuiana GG guernsey GH ghana GI gibraltar
GL greenland GM gambia GN guinea GP guadeloupe GQ equatorialGuinea GR greece GS southGeorgia
GT guatemala GU guam GW guineaBissau GY guyana HK hongKong HM heardAndMcDonaldIslands HN honduras
HR croatiaHrvatska HT haiti HU hungary ID indonesia IE ireland IL israel IM isleOfMan IN india
IO britishIndianOceanTerritory IQ iraq IR iranIslamicRepublicOf IS iceland IT italy JE jersey
JM jamaica JO jordan JP japan KE kenya KG kyrgyzstan KH cambodia KI kiribati KM comoros
KN saintKittsAndNevis KP koreaDemocraticPeoplesRepublic KR koreaRepublicOf KW kuwait
KY caymanIslands KZ kazakhstan LA laoPeoplesDemocraticRepublic LB lebanon LC saintLucia
LI liechtenstein LK sriLanka LR liberia LS lesotho LT lithuania LU luxembourg LV latvia LY libya
MA morocco MC monaco MD moldovaRepublicOf ME montenegro MF saintMartin MG madagascar
MH marshallIslands MK macedonia ML mali MM myanmar MN mongolia MO macau MP northernMarianaIslands
MQ martinique MR mauritania MS montserrat MT malta MU mauritius MV maldives MW malawi MX mexico
MY malaysia MZ mozambique NA namibia NC newCaledonia NE niger NF norfolkIsland NG nigeria
NI nicaragua NL netherlands NO norway NP nepal NR nauru NU niue NZ newZealand OM oman PA panama
PE peru PF frenchPolynesia PG papuaNewGuinea PH philippines PK pakistan PL poland
PM stPierreAndMiquelon PN pitcairnIsland PR puertoRico PS stateOfPalestine PT portugal PW palau
PY paraguay QA qatar RE reunionIsland RO romania RS serbia RU russianFederation RW rwanda
SA saudiArabia SB solomonIslands SC seychelles SD sudan SE sweden SG singapore SH saintHelena
SI slovenia SJ svalbardAndJanMayenIslands SK slovakRepublic SL sierraLeone SM sanMarino SN senegal
SO somalia SR suriname SS southSudan ST saoTomeAndPrincipe SV elSalvador SX sintMaarten
SY syrianArabRepublic SZ swaziland TC turksAndCaicosIslands TD chad TF frenchSouthernTerritories
TG togo TH thailand TJ tajikistan TK tokelau TL eastTimor TM turkmenistan TN tunisia TO tonga
TR turkey TT trinidadAndTobago TV tuvalu TW taiwan TZ tanzania UA ukraine UG uganda
UM uSMinorOutlyingIslands US unitedStates UY uruguay UZ uzbekistan VA holySeeCityVaticanState
VC saintVincentAndTheGrenadines VE venezuela VG virginIslandsBritish VI virginIslandsUSA VN vietnam
VU vanuatu WF wallisAndFutunaIslands WS samoa YE yemen YT mayotte ZA southAfrica ZM zambia
ZW zimbabwe
""".split()
COUNTRIES = {code: f"_{name}" for code, name in zip(_NAMES[::2], _NAMES[1::2], strict=True)}
"""Every one but the few NetSuite has no word for."""

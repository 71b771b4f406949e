"""What the people and companies of the demo are called."""

FIRST_NAMES = (
    "Ada Aisha Amélie Anders Anna Ben Björn Camila Carlos Chloé Daniel Divya Elif Emma Farah Fatima "
    "Felix Femi François Grace Hana Hannah Ibrahim Ines Ingrid Ivan Jack Jane Joaquín José Julia Kwame "
    "Lars Laura Leïla Lena Liam Łukasz Mara Marta Maya Mei Mia Milan Naomi Nils Noah Nora Oleg Olivia "
    "Omar Paula Priya Rafael Ravi Rosa Samir Sara Sean Siân Sofia Søren Tariq Teresa Thabo Tom Uma "
    "Victor Wei Yara Yusuf Zoë"
).split()

LAST_NAMES = (
    "Adeyemi Ahmed Almeida Andersson Baker Bauer Becker Bianchi Castillo Chen Clarke Costa Dubois "
    "Eriksen Evans Fernández Fischer Garcia Gupta Haddad Hansen Hughes Ito Jansen Johnson Kaya Keller "
    "Khan Kim Kowalski Laurent Lindqvist Lopez Mbeki Mehta Meyer Moreau Murphy Müller Nakamura Nguyen "
    "Novák Núñez Okafor Osei Patel Pereira Petrov Quinn Reid Rossi Sato Schmidt Şahin Silva Singh Smith "
    "Sokolov Svensson Tanaka Taylor Thompson Torres Turner Varga Walsh Weber Williams Wong Yılmaz Young "
    "Zhang Zieliński"
).split()

# Names that are written in no Latin letters, or not only in them.
OTHER_NAMES = (
    "王秀英",
    "Αλέξανδρος Παπαδόπουλος",
    "محمد الفاسي",
    "Ольга Иванова",
    "山田 太郎",
    "Zoë 🌟 Sunshine",
    "김민준 😀",
)

COMPANY_NAMES = (
    "Alder & Finch,Amberline Logistics,Atlas Bikes,Bluebird Bakery,Brightwater Energy,Café Montaña,"
    "Calder Books,Cedar Lane Clinics,Copperfield Tools,Driftwood Hotels,Elm Street Studio,Fairmile Foods,"
    "Fjord Outdoor,Foxglove Florists,Glasshouse Media,Granite Legal,Halcyon Travel,Harbour Optics,"
    "Hummingbird Audio,Ivy & Oak Interiors,Juniper Health,Kestrel Robotics,Kite Insurance,"
    "Lantern Learning,Larkspur Labs,Maple Grove Farms,Meridian Freight,Mistral Sailing,Nightjar Coffee,"
    "Northwind Textiles,Orchard Dental,Pebble Payments,Quillon Press,Rookery Games,Saltmarsh Seafood,"
    "Silver Birch Homes,Tideway Rowing,Umber Ceramics,Vale Veterinary,Wildflower Skincare"
).split(",")
